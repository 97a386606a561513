"""Serving: a wrapped client in one's own process, or a proxy before a model."""
