"""Inside: what hidden states reveal, and what changes when they are changed."""
