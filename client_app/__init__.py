"""Flower glue of a participant."""
