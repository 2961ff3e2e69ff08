"""The command line. Every verb exits with 0 when done, 1 when the run failed, 2 when the request was wrong.

Stopped by a signal, which is none of these, it exits as shells expect: 130 after Ctrl-C (SIGINT), 143 after SIGTERM.

Imports of torch, Flower and matplotlib wait until a verb needs them: `oleander --help` answers at once. A verb's
docstring is its help and says what its arguments are: an argument's own help is lost on the way from typer to click.
"""

import importlib.metadata
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from oleander.carrying_out import carry_out, complaints, console, data_folder
from oleander.carrying_out import judge as judge_run
from oleander.deploy.command import verbs as deploy_verbs
from oleander.interrupts import Interrupted, interruptible
from oleander.listing import show_list
from oleander.scenario import load
from task.settings import SettingsError

app = typer.Typer(
    help="Oleander: what can a malicious participant of a Flower federation learn about the others' data?",
    epilog=(
        "Exit status: 0 done; 1 the run failed, or doctor found that the demo cannot run; 2 the request was wrong; "
        "130 stopped by Ctrl-C, 143 by SIGTERM."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",  # without it typer shows the backslash that it puts before "[default: ...]"
    pretty_exceptions_enable=False,
)
app.add_typer(deploy_verbs, name="deploy")

Engine = Annotated[
    str, typer.Option(help="grpc: real Flower processes; ray: Flower's simulation; inline: one process, the quickest.")
]
AnyEngine = Annotated[
    str | None,
    typer.Option(
        help="grpc: real Flower processes; ray: Flower's simulation; inline: one process. Else the scenario's, grpc "
        "where it names none."
    ),
]
Data = Annotated[Path | None, typer.Option(help="Folder of the data sets; else $OLEANDER_DATA, else ./data.")]
Out = Annotated[Path | None, typer.Option(help="Run directory; else runs/NAME/TIMESTAMP-SEED.")]
Seed = Annotated[int | None, typer.Option(help="Replaces the scenario's seed.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="key=value; may be repeated.")]
Stock = Annotated[bool, typer.Option("--stock", help="Flower's own processes instead of the warm fleet (slow).")]


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    """Print the version and leave, where that is wanted."""
    if wanted:
        console.print(f"oleander {_version()}", highlight=False)
        raise typer.Exit


def _version() -> str:
    """Return the version that is installed; of a checkout that is merely on the path, its own."""
    try:
        return importlib.metadata.version("oleander")
    except importlib.metadata.PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


@app.callback()
def options(*, version: Version = False) -> None:
    """Take the options that stand before the verb."""


@app.command()
def demo(engine: AnyEngine = None, out: Out = None, seed: Seed = None, *, stock: Stock = False) -> None:
    """Steal handwritten digits from other participants, two of them defended, offline, and show them."""
    console.print(
        "Six participants learn handwritten digits; one of them is a thief, two defend themselves. "
        "This takes a minute or two."
    )
    carry_out(load("demo", seed=seed), engine=engine, data=None, out=out, stock=stock)


@app.command()
def run(
    scenario: str,
    engine: AnyEngine = None,
    overrides: Overrides = None,
    data: Data = None,
    out: Out = None,
    *,
    seed: Seed = None,
    stock: Stock = False,
) -> None:
    """Run a scenario, judge its loot and write the report.

    SCENARIO is a YAML file, or a name from `oleander list scenarios`.
    """
    carry_out(load(scenario, overrides or (), seed), engine=engine, data=data, out=out, stock=stock)


@app.command()
def judge(
    run: Path,
    data: Data = None,
    loot: Annotated[
        list[Path] | None, typer.Option(help="--out of an `oleander deploy client`, or a copy; may be repeated.")
    ] = None,
) -> None:
    """Recompute a run's verdict.json and figures.

    RUN is a run directory; `oleander run` prints its path. Loot from other hosts is copied into it first.
    """
    from oleander.rundir import RunDirectory  # noqa: PLC0415
    from oleander.terminal import summary  # noqa: PLC0415

    directory = RunDirectory.open(run)
    for folder in loot or ():
        directory.bring(folder)
    summary(judge_run(directory, data))


@app.command()
def report(
    runs: list[Path],
    paper: Annotated[str | None, typer.Option(help="A paper's short name: its results beside ours.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page; else report.html in the run directory, or for several runs/report-TIMESTAMP.html."
        ),
    ] = None,
) -> None:
    """Write one self-contained page about one run, or several side by side.

    RUNS are run directories; `oleander run` prints their paths.
    """
    from oleander.report import write  # noqa: PLC0415
    from oleander.rundir import RunDirectory, page_of  # noqa: PLC0415

    opened = [RunDirectory.open(path) for path in dict.fromkeys(path.resolve() for path in runs)]  # each counts once
    console.print(f"Report: {write(opened, out or page_of(opened), paper)}", soft_wrap=True)


@app.command()
def matrix(
    scenario: str,
    *,
    attacks: Annotated[str | None, typer.Option(help="Some of the matrix's attacks, as a,b; else all.")] = None,
    defenses: Annotated[str | None, typer.Option(help="Some of its defences, as c,d; else all.")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many; else the matrix's own number.")] = None,
    overrides: Overrides = None,
    engine: Engine = "inline",
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="The matrix's folder; else runs/NAME/matrix.")] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Runs at a time; else as many as cores on inline, one on the other engines.")
    ] = None,
) -> None:
    """Run every attack against every defence, and draw one table; a second call goes on where the first stopped.

    SCENARIO is a matrix from `oleander list matrices`, a path, or a scenario whose file has a sweep.
    """
    from oleander.matrix.command import Request  # noqa: PLC0415
    from oleander.matrix.command import carry_out as fill  # noqa: PLC0415

    request = Request(
        name=scenario,
        attacks=attacks,
        defenses=defenses,
        seeds=seeds,
        overrides=tuple(overrides or ()),
        engine=engine,
        data=data_folder(data),
        out=out,
        jobs=jobs,
    )
    raise typer.Exit(fill(request, console))


@app.command(name="list")
def list_(what: Annotated[str, typer.Argument()] = "all") -> None:
    """List the scenarios, matrices, attacks, defences, data sets, models and strategies there are.

    WHAT is scenarios, matrices, attacks, defenses, datasets, models or strategies.
    """
    show_list(console, what)


@app.command()
def doctor(data: Data = None) -> None:
    """Show versions, devices, ports and the data sets found; say what is missing and how to get it."""
    from oleander.doctor import examine  # noqa: PLC0415

    raise typer.Exit(0 if examine(console, data_folder(data)) else 1)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    with interruptible():
        return _guarded(lambda: app(arguments, standalone_mode=False))


def _guarded(command: Callable[[], Any]) -> int:
    """Turn errors that are meant for people into an exit status and a text on standard error."""
    try:
        status = command()
    except SettingsError as error:
        complaints.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    except click.UsageError as error:
        error.show()
        return 2
    except Interrupted as stop:
        complaints.print("Interrupted; everything that was started has been ended.", style="red")
        return stop.status
    except OSError as error:  # a full disk while a run is judged, say
        kept = "What was written is kept: a run that has ended goes on with `oleander judge` and `oleander report`."
        complaints.print(f"The command failed: {error}. {kept}", style="red", markup=False, soft_wrap=True)
        return 1
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    sys.exit(main())
