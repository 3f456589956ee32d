"""The use cases, one a file: the life of a gate."""
