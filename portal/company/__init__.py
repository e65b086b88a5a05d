"""The account's own administration: people, the approval policy."""
