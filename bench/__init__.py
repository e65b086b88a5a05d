"""The benchmark: a world as large as asked for, and what each kind of work costs in it."""
