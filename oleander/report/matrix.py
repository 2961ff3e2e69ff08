"""The page of a matrix: its table, a heat map of the leakage, and what each defence costs in accuracy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oleander.matrix import inquiries
from oleander.matrix.measures import AUC
from oleander.matrix.table import measured, note, on_the_page
from oleander.report import matrix_figures
from oleander.report.page import environment
from oleander.report.pictures import figure_uri
from task.files import write_text


def write(table: Mapping[str, Any], out: Path) -> Path:
    """Write the page.

    Args:
        table: what matrix.json holds, see oleander.matrix.table.of.
        out: the HTML file, in the matrix's folder, in which the runs' folders lie in `cells`.

    Returns:
        Its path.

    """
    figures = {
        f"Leakage, attack by defence: {_shades(table)}": matrix_figures.heat_map(table),
        "What remains of use, and what leaks: best is the lower right": matrix_figures.scatter(table),
    }
    text = (
        environment()
        .get_template("matrix.html.j2")
        .render(
            table=table,
            metrics=note(table),
            lines=on_the_page(table),
            asked=[lines for lines in (inquiries.lines(table["rows"]), inquiries.costs(table["rows"])) if lines],
            asked_note=inquiries.NOTE,
            warnings=inquiries.warnings(table["cells"]),
            cells=[(one, _said(one)) for one in table["cells"]],
            figures=[(name, figure_uri(figure)) for name, figure in figures.items() if figure is not None],
        )
    )
    write_text(out, text)
    return out


def _shades(table: Mapping[str, Any]) -> str:
    """Say what the shades mean."""
    metrics = {line["metric"] for line in table["rows"] if line["leakage"]["count"]}
    if metrics == {AUC}:
        return "AUC; white is guessing (0.5 or less), the darker, the better members are told from others"
    return "the darker, the more was stolen" + ("; of an AUC white is guessing (0.5 or less)" * (AUC in metrics))


def _said(cell: Mapping[str, Any]) -> str:
    """Return what became of a cell, in words."""
    if cell["failure"]:
        return f"failed: {cell['failure'].splitlines()[0]}"
    if "metric" not in cell:
        return "not run"
    if cell["leakage"] is None:
        return "nobody attacked" if not cell["metric"] else "the attack left no loot"
    use = "accuracy" if cell["accuracy"] is not None else "riafi"
    leakage = f"{cell['leakage']:.2f}" if cell["metric"] == AUC else f"{cell['leakage']:.0%}"
    return f"{measured(cell) if cell['metric'] == AUC else cell['metric']} {leakage}" + (
        f", {use} {cell[use]:.0%}" if cell[use] is not None else ""
    )
