"""What a page shows of a defended participant, and the figures after Luo's paper."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from oleander.report import gather, luo_figures, published, write
from oleander.rundir import RunDirectory

SAID = {
    "defense": "fixed-noise",
    "riafi": 0.25,
    "riafi_undefended": 1.0,
    "seen": 0.0,
    "diversity": 0.5,
    "words": "Told so.",
}


@pytest.fixture
def run(fabricate: Callable[..., RunDirectory]) -> RunDirectory:
    """Return a run whose participant 1 has published twenty white images after a fit of three steps."""
    made = fabricate()
    folder = made.path / "published" / "client-1"
    folder.mkdir(parents=True)
    images = np.ones((20, 1, 8, 8), np.float32)
    np.savez(folder / "published.npz", images=images, labels=np.ones(20, np.int64), genuine=np.zeros(20, bool))
    (folder / "fit.jsonl").write_text(json.dumps({"round": 1, "generator_losses": [3.0, 2.0, 1.0]}) + "\n")
    verdict = made.verdict() | {"defended": {"client-1": SAID}}
    (made.path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    return made


def test_a_defended_participant_has_a_part_of_the_page(run: RunDirectory, tmp_path: Path) -> None:
    """The judge's words, its numbers in their order, and one drawing."""
    (part,) = published.shown(gather.gather(run))
    assert part.words == "Told so."
    assert [value for _, _, value in part.numbers] == ["25 %", "100 %", "0 %", "0.5"]
    assert part.drawing.startswith("data:image/png;base64,")
    text = write([run], tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("What is published in place of the images (client-1)") == 1
    assert text.count(part.drawing) == 1


def test_without_the_truth_there_is_no_drawing(run: RunDirectory) -> None:
    """The numbers stay."""
    (run.path / "truth" / "victim-1.npz").unlink()
    (part,) = published.shown(gather.gather(run))
    assert part.drawing == ""
    assert part.numbers


def test_losses_are_those_of_the_last_fit(run: RunDirectory) -> None:
    """A refreshed defence has several."""
    path = run.path / "published" / "client-1" / "fit.jsonl"
    path.write_text(path.read_text() + json.dumps({"round": 2, "generator_losses": [9.0]}) + "\n")
    assert published.losses(gather.gather(run)) == [9.0]


def test_the_paper_s_figures_need_runs(run: RunDirectory) -> None:
    """Of a run in which nobody is defended there are none."""
    plain = gather.gather(run)
    plain.verdict.pop("defended")
    assert luo_figures.drawings([plain]) == []
