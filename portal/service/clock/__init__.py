"""The service clock: what was promised for a case, what of it is used, and why it pauses."""
