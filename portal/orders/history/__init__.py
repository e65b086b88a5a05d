"""Orders of the time before this portal: taken over from another system, read-only, marked."""
