"""Repairs: from reception to return, with the parts and what they cost."""
