"""Memory: what was learned, as text, with where it came from and how far it is trusted."""
