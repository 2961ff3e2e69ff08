"""Flower glue of the server process."""
