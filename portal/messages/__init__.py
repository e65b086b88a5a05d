"""Who is told what: message rows written with the change, delivered afterwards by the worker."""
