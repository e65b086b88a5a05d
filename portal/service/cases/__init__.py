"""Cases: what customers ask for, who answers it, and what became of it."""
