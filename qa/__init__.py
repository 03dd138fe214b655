"""Turn a question into a cited, extractive answer. Reads an archive, never writes one."""
