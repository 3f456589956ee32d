"""Lambda entry points, one a file."""
