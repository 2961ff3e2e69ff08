"""Command lines of nonsense are refused with a text, or do what they say; nothing else is raised."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oleander import cli
from oleander.deploy import command, joining
from oleander.matrix import command as matrix

WORDS = """
    demo gan-attack-digits matrix-digits scenarios grpc ray inline wrong luo 0 1 -1 0,1 5 1e9 auto cpu cuda:0 cuda:x
    127.0.0.1:9092 0.0.0.0:1 [::1]:9092 host host:99999 federation.rounds=2 federation.rounds=x clients.0.role=honest
    clients.9.role=honest task.dataset=nonsense a=b =b a= clients+=1 task={} . .. /dev/null /no/such/place
""".split()  # noqa: SIM905 - a list of words is read more easily
WORD = st.sampled_from(WORDS) | st.text(max_size=8).filter(lambda text: "\0" not in text)


def verbs(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every verb and what is known of it."""
    for name, verb in group.commands.items():
        if isinstance(verb, click.Group):
            yield from verbs(verb, *before, name)
        elif name != "doctor":  # takes no request that could be wrong
            yield (*before, name), verb


VERBS = list(verbs(typer.main.get_group(cli.app)))


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Return a verb, its arguments and some of its options with values that may fit, and sometimes a stray word."""
    path, verb = draw(st.sampled_from(VERBS))
    line = [*path]
    for parameter in verb.params:
        needed = getattr(parameter, "required", False)
        if draw(st.integers(0, 9)) < (9 if needed else 3):
            flag = getattr(parameter, "is_flag", False)
            word = (
                st.sampled_from(["demo", "membership-digits", "matrix-digits"]) | WORD
                if parameter.name == "scenario"
                else WORD
            )
            line += [draw(word)] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
            line += [] if flag or isinstance(parameter, click.Argument) else [draw(WORD)]
    return [*line, *draw(st.lists(WORD, max_size=1))] if draw(st.integers(0, 9)) == 0 else line


fuzzing = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def _nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let everything be looked at and nothing be started; what is written goes to a folder of the test's."""
    monkeypatch.chdir(tmp_path)

    def nothing(*_: Any, **__: Any) -> int:
        return 0

    def looked_at(request: matrix.Request, _: Any) -> int:
        chosen = matrix.chosen(matrix.settings.load(request.name), request.attacks, request.defenses)
        matrix.expand(chosen, request.overrides, request.seeds)
        return 0

    for module, name in ((cli, "carry_out"), (command, "carry_out"), (joining, "join")):
        monkeypatch.setattr(module, name, nothing)
    monkeypatch.setattr(matrix, "carry_out", looked_at)


@pytest.mark.usefixtures("_nothing_starts")
@settings(fuzzing, max_examples=3 * settings().max_examples)
@given(line=lines())
def test_a_command_line_is_refused_or_carried_out(line: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Exit status 0 or 2; what is refused says so."""
    status = cli.main(line)
    _, said = capfd.readouterr()
    assert status in (0, 2)
    assert "Traceback" not in said
    assert status == 0 or said.strip()
