"""Monitoring: what attempts reveal about being right."""
