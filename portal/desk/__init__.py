"""The supplier's desk: accounts, catalogue, price lists and imports."""
