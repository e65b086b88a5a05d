"""Read-only questions across the domain; saved views of them, their schedules, exchange rates."""
