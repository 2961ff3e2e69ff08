"""The documentation is true of the code: links lead somewhere, commands, options and scenarios exist."""

import re
from pathlib import Path

import pytest
import typer

from oleander import shelf
from oleander.cli import app
from task import catalogue
from task.datasets import DATASETS

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:^|[\s;&|(])oleander ([a-z-]\S*)([^\n;&]*)")
CODE_PATH = re.compile(r"^(?:\w+/)+[\w-]*\.?(?:py|yaml|md|html)?$")


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere."""
    targets = [target.split("#")[0] for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))]
    local = [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]
    return [target for target in local if not (page.parent / target).exists()]


def wrong_commands(text: str) -> list[str]:
    """Return what a page asks of `oleander` that it does not know: verbs, options, scenarios by name."""
    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group, since there are several
    code = [*FENCE.findall(text), *SPAN.findall(FENCE.sub("", text))]
    wrong = []
    for verb, rest in (found for piece in code for found in COMMAND.findall(piece)):
        if verb == "--help":
            continue
        if verb not in known:
            wrong.append(f"verb {verb}")
            continue
        command = known[verb]
        if hasattr(command, "commands"):  # one that has verbs of its own
            word = re.match(r" ([a-z]+)(?=[\s`]|$)", rest)
            if word is None:
                continue
            if word[1] not in command.commands:
                wrong.append(f"verb {verb} {word[1]}")
                continue
            command = command.commands[word[1]]
        options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        wrong += [f"option {name} of {verb}" for name in re.findall(r"--[a-z][a-z-]*", rest) if name not in options]
        name = re.match(r" ([a-z][a-z0-9-]*)(?=[\s`]|$)", rest) if verb in ("run", "matrix") else None
        if name and name[1] not in shelf.names(matrices=verb == "matrix"):
            wrong.append(f"scenario {name[1]}")
    return wrong


def missing_paths(text: str) -> list[str]:
    """Return the files and folders that a page names in code, from the repository's root, and that are not there."""
    named = [span.rstrip("/") for span in SPAN.findall(FENCE.sub("", text)) if CODE_PATH.match(span)]
    roots = {path.name for path in ROOT.iterdir()}
    return [name for name in named if name.split("/")[0] in roots and not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_true_of_the_code(page: Path) -> None:
    """Its relative links resolve, its commands exist with their options, the files that it names are there."""
    text = page.read_text(encoding="utf-8")
    assert broken_links(page) == []
    assert wrong_commands(text) == []
    assert missing_paths(text) == []


def test_wrong_pages_are_caught(tmp_path: Path) -> None:
    """Planted: a dead link, an unknown verb, option and scenario, a file that is not there; right ones pass."""
    page = tmp_path / "page.md"
    page.write_text("[dead](no/such.md) [web](https://example.org) [self](page.md#part) ![picture](gone.png)")
    assert broken_links(page) == ["no/such.md", "gone.png"]
    text = """
`oleander frobnicate`, `oleander --help`, `task/datasets.py`, `task/nothing.py`, `oleander run demo --set a=b`
```console
$ pip install -e . && oleander demo --engin ray
$ oleander run dmo --seed 1
$ oleander run SCENARIO
$ oleander deploy client 0 demo --server host:1 --servr host:1
$ oleander deploy clients 0
```
oleander makes no command of prose.
"""
    assert sorted(wrong_commands(text)) == [
        *("option --engin of demo", "option --servr of deploy", "scenario dmo"),
        *("verb deploy clients", "verb frobnicate"),
    ]
    assert missing_paths(text) == ["task/nothing.py"]


def test_the_install_and_test_command_is_in_the_readme() -> None:
    """`.ci/run` takes it from there, from exactly one line."""
    marker = 'pip install -e ".[test]" && pytest'
    lines = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if marker in line]
    assert [line.removeprefix("$ ") for line in lines] == [marker]
    assert f"marker='{marker}'" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_catalogue_lists_every_data_set() -> None:
    """All but the user's own folder; the digits have as many classes as it says."""
    assert set(catalogue.CLASSES) == set(DATASETS) - {"image-folder"}
    assert len(DATASETS["digits"](Path(), lambda images: images)[0]) == catalogue.CLASSES["digits"] == 10
