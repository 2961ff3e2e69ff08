"""What attacks cost among a thousand virtual clients on Ray: one malicious client, a malicious server, one that asks.

    python -m benchmarks.thousand_attacked [--clients 1000] [--rounds 3] [--data DIR] [NAME ...]

Prints the median seconds of a round (the first is left out), the attacker's own, and the memory of all processes.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.round_overhead import seconds
from benchmarks.virtual_clients import simulated
from oleander import scenario
from oleander.preflight import settle

GAN = "{target: 3, fake_label: extra, start_accuracy: null, start_round: 2, steps: 50, network: small}"
CASES = {
    "honest": ("virtual-clients-mnist", ["task.model=digits-cnn"]),
    "gan": (
        "virtual-clients-mnist",
        ["task.model=digits-cnn", f"clients=[{{ids: [0], role: malicious, attack: gan, options: {GAN}}}]"],
    ),
    # Everybody replies, so that a thousand updates are turned into representatives, a chunk of clients at a time.
    "mgan-ai": (
        "virtual-clients-mnist",
        [
            "task.model=digits-cnn",
            "server.attack=mgan-ai",
            "server.attack_options={victim: 0, start_round: 2, representatives: {iterations: 5}}",
            "server.loot_every=100",
        ],
    ),
    "class-membership": (
        "class-membership-mnist",
        [
            "task.partition.images=30",
            "task.local_epochs=1",
            "clients.0.options.start_round=2",
            "clients.0.options.enlarge=0",
            "clients.0.loot_every=100",
            "server.loot_every=100",
            "membership.records=999",
        ],
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", default=os.environ.get("OLEANDER_DATA"), help="folder that holds MNIST")
    options = parser.parse_args()
    for name in options.names or CASES:
        base, changes = CASES[name]
        sizes = [f"federation.clients={options.clients}", f"federation.rounds={options.rounds}"]
        chosen = settle(scenario.load(base, [*changes, *sizes, "federation.devices=cpu"]), options.data)
        with tempfile.TemporaryDirectory() as scratch:
            run, memory, _ = simulated(chosen, Path(scratch) / "run", stock=False)
            lines = run.rounds()[1:]
            attack = statistics.median(line.get("attack_seconds", 0.0) for line in lines)
            print(
                f"{name}, {options.clients} virtual clients: {seconds(run):.2f} s a round, of which the server's "
                f"attack {attack:.2f} s; {lines[-1]['replies']} replies at last; all processes {memory[-1]:.0f} MB; "
                f"loot of {', '.join(sorted(one.name for one in (run.path / 'loot').glob('*'))) or 'nobody'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
