"""Proof: runs with a promise, comparisons at matched cost, claims and their ledger."""
