"""The account's own administration: its people, and what else its administrators look after."""
