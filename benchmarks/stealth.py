"""What a participant can notice of a malicious server: an honest run against a passive and an active attack.

    python benchmarks/stealth.py [SCENARIO] [--set key=value]... [--data DIR]

The three runs have the same seed, on the gRPC engine; everything is measured at the participants, around Flower's
ClientApp (benchmarks/client_meter). The table has, a round and participant: bytes received and sent (what the messages
hold; the transport adds its own), messages whose content is that of the honest run's, the CPU seconds of the
participant's own work (medians), and the seconds between its reply and the next message: there the attack shows, since
it works while the participants wait. The last column is what the server says of the attack's own seconds.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from oleander import engines, scenario
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario, ServerSettings

METER = Path(__file__).parent / "client_meter"
Lines = dict[tuple[int, int], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Measured:
    """A run: its directory, and what the participants measured, by client and round."""

    run: RunDirectory
    lines: Lines


def federate(chosen: Scenario, data: str | None, folder: Path) -> Measured:
    """Run a scenario with the meter on."""
    path = folder.with_suffix(".jsonl")
    os.environ |= {"OLEANDER_METER": str(path), "PYTHONPATH": str(METER)}
    run = RunDirectory.create(chosen, folder)
    engines.run("grpc", engines.Job(scenario=chosen, run=run, data=data))
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return Measured(run, {(line["client"], line["round"]): line for line in lines})


def variants(overrides: list[str], name: str, data: str | None) -> dict[str, Scenario]:
    """Return the scenario with an honest server, and with its attack passive and active."""
    modes = {mode: [*overrides, f"server.attack_options.mode={mode}"] for mode in ("passive", "active")}
    found = {mode: settle(scenario.load(name, options), data) for mode, options in modes.items()}
    server = found["passive"].server
    honest = ServerSettings(strategy=server.strategy, options=server.options)
    return {"honest": dataclasses.replace(found["passive"], server=honest)} | found


def row(name: str, measured: Measured, honest: Lines, clients: Iterable[int]) -> list[str]:
    """Return a table's row about some clients of a run."""
    mine = {key: line for key, line in measured.lines.items() if key[0] in clients}
    work = typical(mine, lambda line: line["cpu"])
    usual = typical({key: honest[key] for key in mine}, lambda line: line["cpu"])
    same = sum(line["content"] == honest[key]["content"] for key, line in mine.items())
    waits = [line["began"] - mine[client, number - 1]["ended"] for (client, number), line in mine.items() if number > 1]
    attack = [line.get("attack_seconds", 0.0) for line in measured.run.rounds()]
    return [
        name,
        span(line["received"] for line in mine.values()),
        span(line["sent"] for line in mine.values()),
        f"{same} of {len(mine)}",
        f"{work:.3f} ({work / usual - 1:+.1%})",
        f"{statistics.median(waits):.2f} (at most {max(waits):.2f})",
        f"{statistics.median(attack):.2f} (at most {max(attack):.2f})",
    ]


def typical(lines: Lines, value: Callable[[dict[str, Any]], float]) -> float:
    """Return the mean over the clients of the median over the rounds, the first left out: all is new in it."""
    clients = {client for client, _ in lines}
    of_each = [
        [value(line) for (one, number), line in lines.items() if one == client and number > 1] for client in clients
    ]
    return statistics.mean(statistics.median(values) for values in of_each)


def span(values: Iterable[int]) -> str:
    """Write one number, or the smallest and the largest."""
    found = sorted(set(values))
    return " to ".join(f"{value:,}" for value in dict.fromkeys([found[0], found[-1]]))


def main() -> None:
    """Run the three and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", default="mgan-ai-digits", help="whose attack has the modes")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="key=value; may be repeated")
    parser.add_argument("--data", help="folder of the data sets")
    arguments = parser.parse_args()
    names = ["run", "bytes received", "bytes sent", "content as honest", "own work, CPU s"]
    table = Table(*names, "wait for the next message, s", "the attack, s", title=arguments.scenario)
    with tempfile.TemporaryDirectory() as scratch:
        runs = variants(arguments.overrides, arguments.scenario, arguments.data)
        victim = runs["passive"].server.attack_options["victim"]
        others = [client for client in range(runs["passive"].federation.clients) if client != victim]
        done: dict[str, Measured] = {}
        for name, chosen in runs.items():
            done[name] = federate(chosen, arguments.data, Path(scratch) / name)
            for who, clients in (("the victim", [victim]), ("the others", others)):
                table.add_row(*row(f"{name}: {who}", done[name], done["honest"].lines, clients))
        final = {name: (one.run.path / "global" / "final.safetensors").read_bytes() for name, one in done.items()}
    Console(width=150).print(table)
    print(f"final weights of the passive run are those of the honest one: {final['passive'] == final['honest']}")
    print(f"final weights of the active run are those of the honest one: {final['active'] == final['honest']}")


if __name__ == "__main__":
    main()
