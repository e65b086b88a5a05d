"""Text messages to alarm phones: written with the change, sent by the worker."""
