"""Defences of a participant, one a file. Plain PyTorch; they act on its data or on its update (defenses.protocols)."""
