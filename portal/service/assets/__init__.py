"""Delivered units with their service tags, and what each is entitled to."""
