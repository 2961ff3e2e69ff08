"""The page of a matrix, of a table made by hand."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oleander.matrix import table as tables
from oleander.matrix.measures import UNITS, Measures, row
from oleander.report.matrix import write
from oleander.report.matrix_figures import heat_map, scatter


def of_area(table: dict[str, Any], areas: dict[str, float]) -> dict[str, Any]:
    """Make the leakage of the first attack an AUC, by defence, and leave the other attack out."""
    for name in ("rows", "cells"):
        table[name] = [line for line in table[name] if line["attack"] == "gan"]
        for line in table[name]:
            area = areas[line["defense"]]
            spread = {"mean": area, "low": None, "high": None, "count": 1}
            known = area if name == "cells" else spread
            line |= {"metric": "AUC", "leakage": known, "asked": {"server clean adaptive-learner auc": known}}
    return table


def measures(leakage: float | None, accuracy: float) -> Measures:
    """Numbers of one run; without leakage there was no loot."""
    return Measures(
        metric="recognised",
        loot=leakage is not None,
        leakage=leakage,
        control=0.0,
        accuracy=accuracy,
        riafi=None,
        seen=None,
        seconds=12.0,
        participant_seconds=1.5,
        bytes=3.2e6,
        epsilon=None,
        privacy={},
    )


def made() -> dict[str, Any]:
    """An attack that steals 0.8 and 1.0 undefended and nothing under <b>; and one that never began, and failed."""
    groups = {
        ("gan", "none"): [measures(0.8, 0.9), measures(1.0, 0.9)],
        ("gan", "<b>"): [measures(0.1, 0.7)],
        ("mgan", "none"): [measures(None, 0.8)],
        ("mgan", "<b>"): [],
    }
    rows, cells = [], []
    for (attack, defense), runs in groups.items():
        line: dict[str, Any] = {"attack": attack, "defense": defense, "settings": {"a.lr": 0.1}}
        rows.append(line | {"seeds": list(range(len(runs))), "failed": int(not runs)} | row(runs))
        cells += [line | {"seed": seed, "run": "x", "failure": None} | asdict(one) for seed, one in enumerate(runs)]
        cells += [line | {"seed": 0, "run": "y", "failure": "no <i>reply</i>\nmore"}] * (not runs)
    return {"name": "small", "paper": "", "units": UNITS, "rows": rows, "cells": cells}


def test_the_page_says_what_the_table_says(tmp_path: Path) -> None:
    """Means and intervals, what failed and why, two pictures; everything escaped, nothing loaded from elsewhere."""
    text = write(made(), tmp_path / "matrix.html").read_text(encoding="utf-8")
    assert "90 ± 127 % R" in text  # t(0.975, 1) = 12.706 times 0.1
    assert "no guarantee" in text
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert "failed: no &lt;i&gt;reply&lt;/i&gt;" in text
    assert "the attack left no loot" in text
    assert "(1 of 1 without loot)" in text
    assert text.count("data:image/png;base64,") == 2
    assert not re.findall(r'(?:src|href)="(?!data:|cells/)', text)


def test_the_heat_map_has_a_place_for_every_pair() -> None:
    """Two attacks by two defences; a mean is a number, what is missing is named."""
    figure = heat_map(made())
    assert figure is not None
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["gan", "mgan"]
    assert [text.get_text() for text in axis.texts] == ["90% ± 127", "10%", "no loot", "failed"]
    assert heat_map({"rows": []}) is None


def test_an_area_is_read_from_guessing_upwards(tmp_path: Path) -> None:
    """An AUC of 0.49 is white, one of 0.75 half dark; it is no share, and the scatter has a line for guessing."""
    table = of_area(made(), {"none": 0.75, "<b>": 0.49})
    figure, points = heat_map(table), scatter(table)
    assert figure is not None
    assert points is not None
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.75", "0.49"]
    assert np.asarray(figure.axes[0].collections[0].get_array()).ravel().tolist() == [0.5, 0.0]
    axis = points.axes[0]
    assert axis.get_ylabel() == "AUC, clean"
    assert 0.4 < axis.get_ylim()[0] < 0.49
    assert "guessing" in [text.get_text() for text in axis.get_legend().get_texts()]  # type: ignore[union-attr]
    text = write(table, tmp_path / "matrix.html").read_text(encoding="utf-8")
    assert ">0.49 AUC, clean<" in text
    assert "AUC, clean 0.49" in text
    assert "white is guessing" in text


def test_a_note_explains_the_metrics_that_occur() -> None:
    """R is explained where it is used, and not J; of an AUC neither."""
    assert "R: share" in (said := tables.note(made()))
    assert "J: share" not in said
    said = tables.note(of_area(made(), {"none": 0.75, "<b>": 0.49}))
    assert "AUC: area" in said
    assert "R: share" not in said


def test_the_scatter_leaves_out_what_has_no_leakage() -> None:
    """One attack has points; both defences are on its front: one is more accurate, the other leaks less."""
    figure = scatter(made())
    assert figure is not None
    front = figure.axes[0].lines[0]
    assert front.get_drawstyle() == "steps-pre"  # up to 0.7 the leakage is 0.1, from there to 0.9 it is 0.9
    assert front.get_xydata() == pytest.approx(np.array([[0.7, 0.1], [0.9, 0.9]]))
    assert figure is not None
    axis = figure.axes[0]
    assert list(axis.lines[0].get_xdata()) == [0.7, 0.9]
    legend = axis.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["gan", "none, lr=0.1", "<b>, lr=0.1"]
    assert scatter({"rows": []}) is None


def test_settings_are_named_as_briefly_as_they_can_be() -> None:
    """By the last part of the key, unless two end alike; no number needs an exponent."""
    assert tables.settings({"settings": {"a.lr": 1, "b.steps": 2}}) == "lr=1, steps=2"
    assert tables.settings({"settings": {"a.lr": 1, "b.lr": 2}}) == "a.lr=1, b.lr=2"
    assert tables.number({"mean": 12345678.0, "high": None}) == "12345678"
    assert tables.number({"mean": 0.5, "high": 0.75}, "share") == "50 ± 25 %"


def test_a_page_of_membership_attacks_has_every_method_and_a_warning(tmp_path: Path) -> None:
    """A table of areas, and that a defence helps who adapts to it; without such attacks neither."""
    table = made()
    for line, area in zip(table["rows"], (0.9, 0.95), strict=False):
        line["asked"] = {"server clean adaptive-learner auc": {"mean": area, "low": area, "high": area}}
    for one, area in (("none", 0.9), ("<b>", 0.95)):
        first = next(line for line in table["cells"] if (line["attack"], line["defense"]) == ("gan", one))
        first["asked"] = {"server clean adaptive-learner auc": area}
    text = write(table, tmp_path / "matrix.html").read_text(encoding="utf-8")
    assert "Who is in the training data" in text
    assert "<td>0.950 ± 0.000</td>" in text
    assert "gan: &lt;b&gt;, lr=0.1 may help the attacker who adapts to it (server, protocol clean): AUC +0.050" in text
    assert "Who is in the training data" not in write(made(), tmp_path / "other.html").read_text(encoding="utf-8")
