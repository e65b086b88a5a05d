"""Work done later: rows written with the change, run under a lease by a worker."""
