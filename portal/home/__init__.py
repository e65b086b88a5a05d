"""Pages that span the domain: the start page, the search, the language and theme, the probes."""
