"""Reflect: looking again at what was thought, and what to check it against."""
