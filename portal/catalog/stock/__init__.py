"""Stock: what is on hand where, what is reserved for whom, and the ledger of every change."""
