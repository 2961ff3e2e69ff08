"""The page as a whole: it stands alone, escapes everything, and says what is missing."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from oleander import accounting
from oleander import scenario as scenarios
from oleander.judge.draws import drawn
from oleander.report import write
from oleander.report.pictures import image_uri
from oleander.rundir import RunDirectory
from task.settings import SettingsError

Make = Callable[..., RunDirectory]
EMPTY = {"img", "meta", "link", "br", "hr", "input"}


class Page(HTMLParser):
    """Collects tags, what they load, and the visible text; notes tags that are not closed in order."""

    def __init__(self, path: Path) -> None:
        """Parse a file."""
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.alts: list[str | None] = []
        self.styles = ""
        self.text = ""
        self.misplaced: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag loads."""
        given = dict(attrs)
        self.tags.append(tag)
        names = ("src", "srcset", "data", "action", "poster", "background") + (("href",) if tag != "a" else ())
        self.loads += [value or "" for name, value in given.items() if name in names]
        self.misplaced += [name for name in given if name.startswith("on")]
        if tag == "img":
            self.alts.append(given.get("alt"))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Tags of SVG that close themselves."""
        del attrs
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check the order."""
        if not self._open or self._open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        """Collect text and styles."""
        if self._open and self._open[-1] == "style":
            self.styles += data
        else:
            self.text += data


def test_the_page_loads_nothing(fabricate: Make, tmp_path: Path) -> None:
    """Every picture is inside as a data URI; there is no script, no import, nothing from elsewhere."""
    runs = [fabricate(seed=0), fabricate(seed=1)]
    page = Page(write(runs, tmp_path / "page.html", "sun"))
    assert page.loads
    assert all(load.startswith("data:") for load in page.loads)
    assert not {"script", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?://", page.styles)
    assert page.misplaced == []


def test_every_picture_has_a_text(fabricate: Make, tmp_path: Path) -> None:
    """No picture is without a description."""
    page = Page(write([fabricate()], tmp_path / "page.html"))
    assert len(page.alts) > 20
    assert all(page.alts)


def test_names_and_reasons_stay_text(fabricate: Make, tmp_path: Path) -> None:
    """Markup in a scenario's words on its paper, in a failure's reason or a verdict is shown, not obeyed."""
    run, other = fabricate(), fabricate("other")
    for one, text in ((run, "<script>alert(1)</script>"), (other, '"><svg onload=alert(3)>')):
        settings = (one.path / "scenario.yaml").read_text(encoding="utf-8")
        (one.path / "scenario.yaml").write_text(settings.replace("paper: ''", f"paper: '{text}'"), encoding="utf-8")
    evil = "<img src=x onerror=alert(2)>"
    line = {"round": 7, "accuracy": 0.5, "failures": [{"client": 1, "reason": evil}]}
    with (run.path / "rounds.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    verdict = run.verdict() | {"headline": evil}
    verdict["attackers"]["client-2"]["targets"]["1"] |= {"words": evil, evil: 1.0}
    (run.path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    run.update_environment(engine=evil, versions={evil: evil})
    page = Page(write([run, other], tmp_path / "page.html"))
    assert "script" not in page.tags
    assert page.misplaced == []
    assert "x" not in page.loads
    assert "<script>alert(1)</script>" in page.text
    assert page.text.count(evil) >= 5


def test_what_is_guaranteed_stands_on_the_page(fabricate: Make, tmp_path: Path) -> None:
    """Each mechanism's epsilon with its delta, or why there is none; without a mechanism there is no such part."""
    run = fabricate()
    assert "What is guaranteed" not in Page(write([run], tmp_path / "page.html")).text
    lines = [{"round": number + 1, "clients": [0, 1, 2]} for number in range(2)]
    clipped = "{ids: [1], role: defended, defense: clip-and-noise, options: {norm: 1, noise_multiplier: 0}}"
    wrapper = "privacy: server-side-fixed-clipping, privacy_options: {noise_multiplier: 2, clipping_norm: 1}"
    private = scenarios.load("gan-attack-digits", [f"clients+=[{clipped}]", f"server={{{wrapper}}}"])
    verdict = run.verdict() | {"privacy": accounting.accounts(private, lines)}
    (run.path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    text = Page(write([run], tmp_path / "page.html")).text
    assert f"{accounting.epsilon_of(1.0, 2, 1e-5):.3g} at delta 1e-05" in text
    assert "no guarantee: clipping alone hides nothing" in text
    assert text.count("which can be found by trial") == 1


def test_one_run_shows_its_verdict_and_numbers(fabricate: Make, tmp_path: Path) -> None:
    """The headline, the three numbers, the processes, the failure and the command are on the page."""
    run = fabricate()
    text = Page(write([run], tmp_path / "page.html")).text
    for part in (
        "Class 1 was stolen from participant 1.",
        "98 %",
        "91 to 100 %",
        "Class 1, one",
        "prototype",
        "0.0123round 5",
        "One class per participant.",
        "upper bound",
        "1000000000000000002",
        "update is not finite",
        "not reproduced",
        f"oleander run {run.path}/scenario.yaml --engine grpc --seed 0",
        "theft begins",
        "before the theft (after round 2)",
        "UntrainedBefore the theft (after round 2)At the end",
    ):
        assert part in text
    assert "What is missing here" not in text


def test_a_run_under_noise_has_no_honest_rounds(fabricate: Make, tmp_path: Path) -> None:
    """Where noise is sent from round 1 the columns before the theft say so."""
    run, path = fabricate(), tmp_path / "page.html"
    assert "under noise" not in Page(write([run], path)).text
    values = yaml.safe_load((run.path / "scenario.yaml").read_text(encoding="utf-8"))
    values["clients"][0]["options"] |= {"noise_images": 60}
    (run.path / "scenario.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    text = Page(write([run], path)).text
    assert "mean before, under noise" in text
    assert "the honest accuracy is unknown from this run" in text
    assert "90 % (under noise)" in Page(write([run, run], path)).text


def test_the_page_shows_what_the_judge_drew(fabricate: Make, tmp_path: Path) -> None:
    """The first picture is the first of the judge's draw, not of the file."""
    run = fabricate()
    images, labels = run.samples("client-2", 6)
    first = drawn(images[labels == 1], 0, "client-2", 6, 1)[0]
    page = Page(write([run], tmp_path / "page.html"))
    assert page.loads.index(image_uri(first.numpy())) < page.loads.index(image_uri(images[labels == 1][0].numpy()))


def test_several_runs_stand_side_by_side(fabricate: Make, tmp_path: Path) -> None:
    """A table compares them, and each has its own section and loot."""
    runs = [fabricate(seed=seed) for seed in range(3)]
    page = Page(write(runs, tmp_path / "page.html"))
    assert "3 runs side by side" in page.text
    assert page.tags.count("article") == 3
    assert [f"--seed {seed}" in page.text for seed in range(3)] == [True] * 3


def test_a_run_that_died_says_what_is_missing(fabricate: Make, tmp_path: Path) -> None:
    """Half the rounds, no verdict, no truth: the page is there, with the loot that was found."""
    run = fabricate(finished=False, judged=False)
    page = Page(write([run], tmp_path / "page.html"))
    assert "3 of 6 rounds are on record." in page.text
    assert "The run was not judged." in page.text
    assert sum("Stolen image" in (alt or "") for alt in page.alts) == 20
    assert not any("nearest real" in (alt or "") for alt in page.alts)


def test_an_empty_run_still_gives_a_page(fabricate: Make, tmp_path: Path) -> None:
    """A run that ended before its first round leaves scenario.yaml alone, and that is enough."""
    run = fabricate(judged=False)
    for path in run.path.rglob("*"):
        if path.is_file() and path.name != "scenario.yaml":
            path.unlink()
    text = Page(write([run], tmp_path / "page.html")).text
    for part in ("0 of 6 rounds are on record.", "There is no environment.json", "There is no loot"):
        assert part in text


def test_broken_files_are_named_and_the_rest_is_shown(fabricate: Make, tmp_path: Path) -> None:
    """A truncated archive and half a verdict cost their own part of the page only."""
    run = fabricate()
    last = run.loot()["client-2"][6]
    last.write_bytes(last.read_bytes()[:100])
    (run.path / "verdict.json").write_text('{"headline": "Cla', encoding="utf-8")
    text = Page(write([run], tmp_path / "page.html")).text
    assert "The loot of client-2 in round 6 cannot be read" in text
    assert "verdict.json cannot be read" in text
    assert "client-2, round 5" in text


def test_figures_are_inside(fabricate: Make, tmp_path: Path) -> None:
    """The judge's ROC curves and its picture of nearest images come along."""
    run = fabricate()
    run.figures.mkdir()
    for name in ("roc", "nearest-client-2-1"):
        Image.fromarray(np.full((40, 60, 3), 255, dtype=np.uint8)).save(run.figures / f"{name}.png")
    alts = Page(write([run], tmp_path / "page.html")).alts
    assert "The shared model's own task: its ROC curves, class by class" in alts
    assert any((alt or "").startswith("Loot of class 1, one drawn at random") for alt in alts)


def test_the_page_is_small(fabricate: Make, tmp_path: Path) -> None:
    """A demo-sized run stays far below a megabyte without figures."""
    assert write([fabricate()], tmp_path / "page.html").stat().st_size < 200_000


def test_a_paper_is_put_beside_the_runs(fabricate: Make, tmp_path: Path) -> None:
    """Sun's rows are there; what no run covers is "not run", what a run misses "not reproduced"."""
    text = Page(write([fabricate("gan-attack-mnist")], tmp_path / "page.html", "sun")).text
    assert "Fig. 8" in text
    assert "not run" in text
    assert "not reproduced" in text


def test_an_unknown_paper_is_refused_with_the_known_ones(fabricate: Make, tmp_path: Path) -> None:
    """The message names the papers whose attack is here, and no page is written."""
    with pytest.raises(SettingsError, match="sun"):
        write([fabricate()], tmp_path / "page.html", "nobody")
    assert not (tmp_path / "page.html").exists()


def test_no_run_and_a_folder_are_refused(fabricate: Make, tmp_path: Path) -> None:
    """There must be a run to report on and a file to write."""
    with pytest.raises(SettingsError, match="at least one run"):
        write([], tmp_path / "page.html")
    with pytest.raises(SettingsError, match="a file for the report"):
        write([fabricate()], tmp_path)


def test_a_lost_process_is_named(fabricate: Make, tmp_path: Path) -> None:
    """A participant whose process ended in mid-run stands among what is missing."""
    run = fabricate()
    run.update_environment(lost=[{"client": 1, "pid": 101, "how": "was killed by SIGKILL", "log": "node-1.log"}])
    text = Page(write([run], tmp_path / "page.html")).text
    assert "Participant 1 was lost: its process 101 was killed by SIGKILL." in text


@pytest.mark.parametrize("out", [["--out", "taken folder"], ["--out=taken folder"]])
def test_the_command_is_as_it_was_given_but_for_the_folder(fabricate: Make, tmp_path: Path, out: list[str]) -> None:
    """The folder exists by now, so repeating the command word for word would be refused."""
    run = fabricate()
    run.update_environment(command=["oleander", "run", "demo", *out, "--set", "task.optimizer.lr=0.1"])
    text = Page(write([run], tmp_path / "page.html")).text
    assert "oleander run demo --set task.optimizer.lr=0.1\n" in text.replace("</pre>", "\n") + "\n"
    assert "taken folder" not in text
