"""What a participant can notice of a malicious server: an honest run against a passive and an active attack.

    python benchmarks/stealth.py [SCENARIO] [--set key=value]... [--data DIR]

The three runs have the same seed, on the gRPC engine; everything is measured at the participants, around Flower's
ClientApp (benchmarks/client_meter). The table has, a round and participant: bytes received and sent (what the messages
hold; the transport adds its own), messages whose content is that of the honest run's, the CPU seconds of the
participant's own work (of its quickest round, as others on the machine can only slow it down), and the seconds between
its reply and the next message: there the attack shows, since it works while the participants wait. The last column is
what the server says of the attack's own seconds.
"""

import argparse
import dataclasses
import json
import os
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from oleander import engines, scenario
from oleander.preflight import settle
from oleander.rundir import RunDirectory
from oleander.scenario import Scenario
from oleander.sections import ServerSettings

METER = Path(__file__).parent / "client_meter"
Lines = dict[tuple[int, int, int], dict[str, Any]]
"""What the participants measured, by repetition, client and round."""


@dataclasses.dataclass
class Measured:
    """One kind of run: what was measured, the attack's seconds in each round, the final weights' file."""

    lines: Lines = dataclasses.field(default_factory=dict)
    attack: list[float] = dataclasses.field(default_factory=list)
    final: bytes = b""

    def add(self, repetition: int, chosen: Scenario, data: str | None, folder: Path) -> None:
        """Run a scenario with the meter on."""
        path = folder.with_suffix(".jsonl")
        os.environ |= {"OLEANDER_METER": str(path), "PYTHONPATH": str(METER)}
        run = RunDirectory.create(chosen, folder)
        engines.run("grpc", engines.Job(scenario=chosen, run=run, data=data))
        for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            self.lines[repetition, line["client"], line["round"]] = line
        self.attack += [line.get("attack_seconds", 0.0) for line in run.rounds()]
        self.final = (run.path / "global" / "final.safetensors").read_bytes()


def variants(overrides: list[str], name: str, data: str | None) -> dict[str, Scenario]:
    """Return the scenario with an honest server, and with its attack passive and active."""
    modes = {mode: [*overrides, f"server.attack_options.mode={mode}"] for mode in ("passive", "active")}
    found = {mode: settle(scenario.load(name, options), data) for mode, options in modes.items()}
    server = found["passive"].server
    honest = ServerSettings(strategy=server.strategy, options=server.options)
    return {"honest": dataclasses.replace(found["passive"], server=honest)} | found


def row(name: str, measured: Measured, honest: Measured, clients: Iterable[int]) -> list[str]:
    """Return a table's row about some clients of a run."""
    mine = {key: line for key, line in measured.lines.items() if key[1] in clients}
    usual = {key: honest.lines[key] for key in mine}
    same = sum(line["content"] == usual[key]["content"] for key, line in mine.items())
    before = {key: mine[key[0], key[1], key[2] - 1]["ended"] for key in mine if key[2] > 1}
    waits = [mine[key]["began"] - ended for key, ended in before.items()]
    return [
        name,
        span(line["received"] for line in mine.values()),
        span(line["sent"] for line in mine.values()),
        f"{same} of {len(mine)}",
        f"{work(mine):.4f} ({work(mine) / work(usual) - 1:+.1%})",
        f"{statistics.median(waits):.2f} (at most {max(waits):.2f})",
        f"{statistics.median(measured.attack):.2f} (at most {max(measured.attack):.2f})",
    ]


def work(lines: Lines) -> float:
    """Return the CPU seconds of each client's quickest round, the mean over the clients."""
    clients = {client for _, client, _ in lines}
    return statistics.mean(
        min(float(line["cpu"]) for key, line in lines.items() if key[1] == client) for client in clients
    )


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
    parser.add_argument(
        "--repetitions", type=int, default=2, help="of all three, in turn, for the sake of the CPU seconds"
    )
    arguments = parser.parse_args()
    chosen = variants(arguments.overrides, arguments.scenario, arguments.data)
    done = {name: Measured() for name in chosen}
    with tempfile.TemporaryDirectory() as scratch:
        for repetition in range(arguments.repetitions):
            for name, one in chosen.items():
                done[name].add(repetition, one, arguments.data, Path(scratch) / f"{name}-{repetition}")
    victim = chosen["passive"].server.attack_options["victim"]
    others = [client for client in range(chosen["passive"].federation.clients) if client != victim]
    names = ["run", "bytes received", "bytes sent", "content as honest", "own work, CPU s"]
    table = Table(*names, "wait for the next message, s", "the attack, s", title=arguments.scenario)
    for name, measured in done.items():
        for who, clients in (("the victim", [victim]), ("the others", others)):
            table.add_row(*row(f"{name}: {who}", measured, done["honest"], clients))
    Console(width=150).print(table)
    for name in ("passive", "active"):
        print(f"final weights of the {name} run are the honest one's: {done[name].final == done['honest'].final}")


if __name__ == "__main__":
    main()
