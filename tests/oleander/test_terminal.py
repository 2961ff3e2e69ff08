"""The terminal's view of a run."""

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.style import Style

from oleander import scenario as scenarios
from oleander import sections
from oleander.rundir import RunDirectory
from oleander.terminal import LiveView, Tail, half_blocks, sized, summary
from task.files import append_line


def plain(width: int = 200) -> Console:
    """Return a console that is no terminal."""
    return Console(file=io.StringIO(), width=width, force_terminal=False)


def written(console: Console) -> str:
    """Return what a console over a StringIO has printed."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_tail_returns_each_complete_line_once(tmp_path: Path) -> None:
    """A line is returned when its end has been written, and never again."""
    path = tmp_path / "lines.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    path.write_text('{"round": 1}\n{"rou', encoding="utf-8")
    assert tail.read() == [{"round": 1}]
    assert tail.read() == []
    with path.open("a", encoding="utf-8") as file:
        file.write('nd": 2}\n')
    assert tail.read() == [{"round": 2}]


def test_plain_output_has_each_round_once_and_no_control_codes(fabricate: Callable[..., RunDirectory]) -> None:
    """Where the output is no terminal, every round is one line of plain text, however often the view is asked."""
    run = fabricate()
    lines = (run.path / "rounds.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run.path / "rounds.jsonl").unlink()
    console = plain()
    with LiveView(run, run.scenario, console) as view:
        for line in lines:
            with (run.path / "rounds.jsonl").open("a", encoding="utf-8") as file:
                file.write(line)
            view.tick()
            view.tick()
    text = written(console)
    assert "\x1b" not in text
    assert [line.split("  ")[0] for line in text.splitlines()] == [f"round {number} of 6" for number in range(1, 7)]


@pytest.mark.parametrize(
    ("first", "then"), [("clients 0, 1, 2 to join", "clients 0, 2 to join"), ("3 clients to join", "")]
)
def test_who_has_not_joined_from_another_host_is_named(
    first: str, then: str, fabricate: Callable[..., RunDirectory]
) -> None:
    """Where keys tell who is who; each time that it changes, and not once there is a round."""
    run, console = fabricate(), plain()
    rounds = (run.path / "rounds.jsonl").read_text(encoding="utf-8")
    (run.path / "rounds.jsonl").unlink()
    nodes: list[dict[str, Any]] = [{"client": client, "node_id": None} for client in range(3)]
    run.update_environment(address="192.0.2.1:9092", tls=bool(then), nodes=nodes)
    with LiveView(run, run.scenario, console) as view:
        view.tick()
        view.tick()
        if then:
            nodes[1]["joined"] = True
            run.update_environment(nodes=nodes)
        view.tick()
        (run.path / "rounds.jsonl").write_text(rounds, encoding="utf-8")
        view.tick()
    said = [line for line in written(console).splitlines() if "Waiting" in line]
    assert len(said) == 2 if then else 1
    assert first in said[0]
    assert then in said[-1]


def test_plain_output_names_who_failed_and_when_the_attack_began(fabricate: Callable[..., RunDirectory]) -> None:
    """Client 1 fails in round 4, client 2 steals since round 3: each is said once, in its round."""
    run, console = fabricate(), plain()
    with LiveView(run, run.scenario, console):
        pass
    lines = written(console).splitlines()
    assert [index for index, line in enumerate(lines, 1) if "participant 1 failed: update is not finite" in line] == [4]
    assert [index for index, line in enumerate(lines, 1) if "participant 2 steals since round 3" in line] == [3]
    assert "accuracy 0.400" in lines[3]
    assert "2 of 3 replied" in lines[3]


def test_the_server_s_attack_is_shown_with_its_share_and_its_warnings(
    fabricate: Callable[..., RunDirectory], toy_attack: str
) -> None:
    """It begins in round 2 and misses its victim in round 5; half of each round's time is its own."""
    run = fabricate()
    server = sections.ServerSettings(attack=toy_attack, attack_options={"victim": 0})
    scenario = scenarios.resolve(dataclasses.replace(run.scenario, server=server))
    path = run.path / "rounds.jsonl"
    lines = [json.loads(line) | {"attack_seconds": 0.25} for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    log = run.path / "loot" / "server" / "attack.jsonl"
    log.parent.mkdir()
    for number in range(1, 7):
        warnings = ["the victim, client 0, did not reply in this round"] if number == 5 else []
        append_line(log, {"round": number, "started": number > 1, "warnings": warnings})
    console = plain()
    with LiveView(run, scenario, console) as view:
        attacks = view._attacks()  # noqa: SLF001 - what the live view says
    shown = written(console).splitlines()
    assert [index for index, line in enumerate(shown, 1) if "the server steals since round 2" in line] == [2]
    assert [index for index, line in enumerate(shown, 1) if "the server: the victim, client 0, did not" in line] == [5]
    assert "0.50 s, 0.25 s of it the server's attack" in shown[0]
    assert attacks[1] == ("the server: waits to steal", False)
    assert view._attacks()[1] == ("the server: steals since round 2", True)  # noqa: SLF001


def test_a_long_run_prints_about_fifty_lines(fabricate: Callable[..., RunDirectory]) -> None:
    """Of 1,000 rounds every 20th is printed, and the first and the last."""
    run = fabricate()
    text = (run.path / "scenario.yaml").read_text(encoding="utf-8").replace("rounds: 6", "rounds: 1000")
    (run.path / "scenario.yaml").write_text(text, encoding="utf-8")
    rounds = [json.dumps({"round": number, "accuracy": 0.5}) + "\n" for number in range(1, 1001)]
    (run.path / "rounds.jsonl").write_text("".join(rounds), encoding="utf-8")
    (run.path / "loot" / "client-2" / "attack.jsonl").unlink()
    console = plain()
    with LiveView(run, run.scenario, console):
        pass
    printed = [int(line.split()[1]) for line in written(console).splitlines()]
    assert printed == [1, *range(20, 1001, 20)]


def test_the_live_view_shows_the_round_the_replies_and_the_loot(fabricate: Callable[..., RunDirectory]) -> None:
    """On a terminal with colours: progress, who replied, whether the attack has begun, and pictures of both targets."""
    run = fabricate()
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="truecolor", _environ={})
    with LiveView(run, run.scenario, console) as view:
        view.tick()
    text = written(console)
    for part in (
        "6 of 6 rounds",
        "3 of 3 replied (0, 1, 2)",
        "1 missing so far",
        "steals since round 3",
        "class 9",
        "▀",
    ):
        assert part in text


def test_the_live_view_waits_without_a_run(fabricate: Callable[..., RunDirectory]) -> None:
    """Before the first round there is something to read, and nothing breaks."""
    run = fabricate()
    (run.path / "rounds.jsonl").unlink()
    (run.path / "loot" / "client-2" / "attack.jsonl").unlink()
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="truecolor", _environ={})
    with LiveView(run, run.scenario, console):
        pass
    assert "Waiting for the first round" in written(console)
    assert "waits to steal" in written(console)


def test_half_blocks_map_two_pixels_to_one_character() -> None:
    """The upper pixel is the character's colour, the lower one its background; black is -1, white 1."""
    text = half_blocks(np.array([[[-1, 1], [1, -1], [0, 0]]], dtype=np.float32))
    assert text.plain == "▀▀\n▀▀"
    styles = [Style.parse(str(span.style)) for span in text.spans]
    assert styles[0] == Style.parse("rgb(0,0,0) on rgb(255,255,255)")
    assert styles[1] == Style.parse("rgb(255,255,255) on rgb(0,0,0)")
    assert styles[2] == Style.parse("rgb(128,128,128)")


def test_half_blocks_keep_colours() -> None:
    """An image with three channels keeps them: red above blue."""
    image = np.full((3, 2, 1), -1, dtype=np.float32)
    image[0, 0, 0] = image[2, 1, 0] = 1
    assert [str(span.style) for span in half_blocks(image).spans] == ["rgb(255,0,0) on rgb(0,0,255)"]


@pytest.mark.parametrize(("side", "shown"), [(8, 16), (16, 32), (28, 28), (64, 32), (92, 31)])
def test_previews_fit(side: int, shown: int) -> None:
    """Small images are doubled, large ones thinned out to at most 32 pixels a side."""
    assert sized(np.zeros((1, side, side), dtype=np.float32)).shape == (1, shown, shown)


def test_the_summary_has_three_numbers_and_the_report(fabricate: Callable[..., RunDirectory]) -> None:
    """The share that is recognised, the control's share, the distance; then where the report is."""
    console = plain()
    summary(fabricate().verdict(), Path("runs/demo/report.html"), console)
    lines = written(console).strip().splitlines()
    assert lines[0] == "Class 1 was stolen from participant 1."
    assert [line.strip().split("  ")[0] for line in lines[1:4]] == ["98 %", "0 %", "0.25"]
    assert lines[4] == "Report: runs/demo/report.html"


def test_a_run_that_was_not_judged_has_no_numbers() -> None:
    """Without a verdict the summary shows dashes rather than nothing."""
    console = plain()
    summary({}, Path("report.html"), console)
    assert written(console).count("—") == 3


def test_the_terminal_imports_no_torch() -> None:
    """The view of a run is there at once."""
    code = "import sys, oleander.terminal; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_live_view_without_news_draws_nothing(fabricate: Callable[..., RunDirectory]) -> None:
    """Asked ten times within a second, it draws once: over a slow line that matters."""
    run = fabricate()
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="truecolor", _environ={})
    with LiveView(run, run.scenario, console) as view:
        view.tick()
        drawn = len(written(console))
        for _ in range(9):
            view.tick()
        assert len(written(console)) == drawn


def test_the_summary_says_what_is_published(fabricate: Callable[..., RunDirectory]) -> None:
    """The judge's words on each defended participant."""
    console = plain()
    verdict = fabricate().verdict() | {"defended": {"client-1": {"words": "Participant 1 trains on noise."}}}
    summary(verdict, Path("report.html"), console)
    assert "\nParticipant 1 trains on noise.\nReport:" in written(console)
