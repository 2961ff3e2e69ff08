"""The judge: what the loot is worth, from the run directory and public data, after the run.

Here alone private data meet the loot. The verdict's words claim no more than was shown (oleander.judge.words).
"""

from oleander.judge.verdict import judge

__all__ = ["judge"]
