"""Oleander: a privacy red-team for federated learning on Flower. The command, the engines, the judge and the report."""
