"""Quotes: drafts, numbered revisions, submission, and what stays frozen until it is ordered."""
