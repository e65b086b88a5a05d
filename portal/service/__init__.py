"""After the sale: assets, cases and their clock, repairs, parts, knowledge."""
