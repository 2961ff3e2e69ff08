"""Writes the page: gathers what is known of each run and fills the templates, which escape all that they are given."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from oleander.report import beside, gather, luo_figures, membership, moments, papers
from oleander.report.metrics import called, named, written
from oleander.report.panels import panels
from oleander.report.section import comparison, section
from oleander.rundir import RunDirectory
from task.files import write_text
from task.settings import expect


def write(runs: Sequence[RunDirectory], out: Path, paper: str | None = None) -> Path:
    """Write a report about one or several runs.

    Args:
        runs: opened run directories; one that died gives a section that says what is missing.
        out: the HTML file; its folder is made if need be.
        paper: short name of a paper whose results to put beside the runs'.

    Returns:
        The path of the file.

    Raises:
        SettingsError: without a run, for a paper whose attack is not here, or where `out` is a folder.

    """
    expect(bool(runs), "at least one run", "none", "`oleander run` makes one.")
    expect(not out.is_dir(), "a file for the report", str(out), "Name a file that ends in .html.")
    known = None if paper is None else papers.paper(paper)
    sections = [section(run, f"run-{index}") for index, run in enumerate(runs, start=1)]
    known_runs = [(one.found.scenario, one.found.verdict) for one in sections]
    page = environment().get_template("page.html.j2")
    text = page.render(
        sections=sections,
        paper=known,
        paper_rows=beside.rows(paper, known_runs) if paper is not None else [],
        panels=panels([one.found for one in sections]) if paper == "wang" else [],
        drawings=luo_figures.drawings([one.found for one in sections]) if paper == "luo" else [],
        repeat=shlex.join(
            ["oleander", "report", *(str(run.path) for run in runs), *(["--paper", paper] if paper else [])]
        ),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, text)
    return out


def environment() -> Environment:
    """Return the templates, which escape what they are given and refuse a name that is not there."""
    templates = Environment(
        loader=PackageLoader("oleander.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["written"] = written
    templates.globals |= {
        "named": named,
        "called": called,
        "gather": gather,
        "moments": moments,
        "beside": beside,
        "comparison": comparison,
    }
    templates.globals["inquiry_columns"] = membership.COLUMNS
    return templates
