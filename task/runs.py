"""Where a run goes when nobody says: a name that server and participants find without talking to each other."""

from pathlib import Path


def run_directory(out: str, name: str, run_id: int) -> Path:
    """Return the run directory; where none was given, one that server and participants name alike."""
    return Path(out) if out else Path("runs") / name / str(run_id)
