"""Nosce: metacognition for any language model."""
