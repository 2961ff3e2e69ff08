"""Flower glue of a server: strategies that wrap Flower's own."""
