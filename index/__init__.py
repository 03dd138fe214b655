"""Turn files into a searchable archive on disk. Knows nothing of questions."""
