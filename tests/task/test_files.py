"""Files are written whole or not at all, whatever the disk does."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from task.files import append_line, replacing, write_json
from task.runs import keep_arrays, read_arrays


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file grow beyond 1,000 bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
def test_a_line_that_the_disk_takes_a_part_of_is_taken_back(tmp_path: Path) -> None:
    """900 bytes fit and 200 more do not, after which a short line stands in a line of its own."""
    path = tmp_path / "folder" / "lines.jsonl"
    append_line(path, {"a": "x" * 900})
    with pytest.raises(OSError, match=r"lines\.jsonl"):
        append_line(path, {"b": "x" * 200})
    append_line(path, {"c": 1})
    assert [list(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()] == [["a"], ["c"]]


@pytest.mark.usefixtures("small_disk")
def test_a_file_that_does_not_fit_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    """JSON and arrays, of which a first version is there."""
    write_json(tmp_path / "one.json", {"version": 1})
    keep_arrays(tmp_path / "two.npz", version=torch.tensor([1]))
    with pytest.raises(OSError, match="File too large"):
        write_json(tmp_path / "one.json", "x" * 2000)
    with pytest.raises(OSError, match="File too large"):
        keep_arrays(tmp_path / "two.npz", version=torch.rand(1000, generator=torch.Generator().manual_seed(0)))
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
