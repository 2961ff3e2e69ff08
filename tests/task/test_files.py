"""Files are written whole or not at all, whatever the disk does."""

import json
import subprocess
import sys
from pathlib import Path

import torch

from task.files import append_line, replacing, write_json
from task.runs import keep_arrays, read_arrays

SMALL = """
import resource, sys
import torch
from pathlib import Path
from task.files import append_line, write_json
from task.runs import keep_arrays
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
folder = Path(sys.argv[1])
def tried(write, *arguments, **arrays):
    try:
        write(*arguments, **arrays)
    except OSError as error:
        print(error)
"""
"""No file grows beyond 1,000 bytes from here on, as on a full disk; in a process of its own, whose output is a pipe."""


def on_a_small_disk(folder: Path, *lines: str) -> list[str]:
    """Run lines of Python there; return what went wrong."""
    command = [sys.executable, "-c", SMALL + "\n".join(lines), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_line_that_the_disk_takes_a_part_of_is_taken_back(tmp_path: Path) -> None:
    """900 bytes fit and 200 more do not, after which a short line stands in a line of its own."""
    path = tmp_path / "lines.jsonl"
    append_line(path, {"a": "x" * 900})
    said = on_a_small_disk(tmp_path, "tried(append_line, folder / 'lines.jsonl', {'b': 'x' * 200})")
    assert len(said) == 1
    assert "lines.jsonl" in said[0]
    append_line(path, {"c": 1})
    assert [list(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] == [["a"], ["c"]]


def test_a_file_that_does_not_fit_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    """JSON and arrays, of which a first version is there."""
    write_json(tmp_path / "one.json", {"version": 1})
    keep_arrays(tmp_path / "two.npz", version=torch.tensor([1]))
    said = on_a_small_disk(
        tmp_path,
        "tried(write_json, folder / 'one.json', 'x' * 2000)",
        "tried(keep_arrays, folder / 'two.npz', version=torch.rand(1000))",
    )
    assert [text.count("File too large") for text in said] == [1, 1]
    assert json.loads((tmp_path / "one.json").read_text(encoding="utf-8")) == {"version": 1}
    assert read_arrays(tmp_path / "two.npz")["version"].tolist() == [1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "two.npz"]


def test_a_draft_is_beside_its_file_and_hidden(tmp_path: Path) -> None:
    """Nobody who looks for files by name finds it, and it is renamed, not copied."""
    with replacing(tmp_path / "a.json") as draft:
        assert (draft.parent, draft.name[0]) == (tmp_path, ".")
        draft.write_text("1")
        made = draft.stat().st_ino
    assert [(path.name, path.stat().st_ino) for path in tmp_path.iterdir()] == [("a.json", made)]
