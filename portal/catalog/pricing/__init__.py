"""Price lists, their versions and assignments, and the one rule that resolves a price."""
