"""The edge kit: access, the current actor, forms, tables, pages of errors."""
