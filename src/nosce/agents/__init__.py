"""Policies in worlds."""
