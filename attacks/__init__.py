"""Attacks, one a file. Plain PyTorch; an attack sees a view (attacks.views) and never the truth."""
