"""Products, categories, assortments and their pages; prices live in the package inside."""
