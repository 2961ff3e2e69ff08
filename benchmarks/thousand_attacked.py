"""What attacks, and a defence, cost among a thousand virtual clients on Ray.

    python -m benchmarks.thousand_attacked [--clients 1000] [--rounds 3] [--data DIR] [NAME ...]

Prints the median seconds of a round (the first is left out), the slowest participant's and the server's attack's, and
the memory of all processes, looked at every two seconds.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.running import Watch, command, known, run, seconds
from oleander import scenario
from oleander.preflight import settle

GAN = "{target: 3, fake_label: extra, start_accuracy: null, start_round: 2, steps: 50, network: small}"
NOISE = "defense: clip-and-noise, options: {norm: 1.0, noise_multiplier: 0.01}"
CASES = {
    "honest": ("virtual-clients-mnist", ["task.model=digits-cnn"]),
    "gan": (
        "virtual-clients-mnist",
        ["task.model=digits-cnn", f"clients=[{{ids: [0], role: malicious, attack: gan, options: {GAN}}}]"],
    ),
    "defended": (
        "virtual-clients-mnist",
        ["task.model=digits-cnn", f"clients=[{{ids: {list(range(10))}, role: defended, {NOISE}}}]"],
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
    known(parser, options.names, CASES)
    for name in options.names or CASES:
        base, changes = CASES[name]
        sizes = [f"federation.clients={options.clients}", f"federation.rounds={options.rounds}"]
        chosen = settle(scenario.load(base, [*changes, *sizes, "federation.devices=cpu"]), options.data)
        with tempfile.TemporaryDirectory() as scratch:
            watch = Watch(every=2.0)
            made = run(chosen, Path(scratch) / "run", "ray", data=options.data, watch=watch)
            lines = made.rounds()[1:]
            attack, slowest = (
                statistics.median(line.get(of, 0.0) for line in lines) for of in ("attack_seconds", "client_seconds")
            )
            loot = ", ".join(sorted(one.name for one in (made.path / "loot").glob("*"))) or "nobody"
            print(
                f"{name}, {options.clients} virtual clients: {seconds(made):.2f} s a round, the slowest client "
                f"{slowest:.2f} s, the server's attack {attack:.2f} s; {lines[-1]['replies']} replies at last; "
                f"all processes at most {watch.peak:.0f} MB; loot of {loot}",
                flush=True,
            )


if __name__ == "__main__":
    command(main)
