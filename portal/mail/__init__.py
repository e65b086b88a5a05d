"""Mail: rendering from templates and one small backend (SMTP, or files on a laptop)."""
