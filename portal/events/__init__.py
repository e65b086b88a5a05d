"""The append-only record of what happened: one table, one hash chain per account."""
