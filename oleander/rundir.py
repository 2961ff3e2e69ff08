"""The run directory: one folder a run, written as the run goes, so that a run that dies leaves what it had."""

import itertools
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from oleander import bringing
from oleander import scenario as scenarios
from oleander.shelf import read
from task.files import readable, write_json, write_text
from task.settings import SettingsError, expect, parse

if TYPE_CHECKING:  # torch and numpy take long to import, and the command line needs neither to answer
    from torch import Tensor

RUNS = Path("runs")


@dataclass(frozen=True)
class RunDirectory:
    """Reads a run directory, and writes what belongs to the command; server and attackers write their parts."""

    path: Path

    @classmethod
    def create(cls, scenario: scenarios.Scenario, out: Path | None = None) -> "RunDirectory":
        """Make a new run directory with scenario.yaml in it.

        Args:
            scenario: resolved.
            out: the folder; None for runs/NAME/TIMESTAMP-SEED.

        Raises:
            SettingsError: if `out` exists and is not empty: a second run never overwrites a first.

        """
        if out is None:
            out = unused(RUNS / scenario.name / f"{_stamp()}-{scenario.federation.seed}")
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
        expect(not taken, "--out to name a new or empty folder", str(out), "Choose another, or remove it.")
        text = yaml.safe_dump(scenario.to_dict(), sort_keys=False, allow_unicode=True)
        try:
            out.mkdir(parents=True, exist_ok=True)
            write_text(out / "scenario.yaml", text)
        except OSError as error:
            raise SettingsError(f"Expected --out to be writable, got {out} ({error.strerror}).") from error
        return cls(out.resolve())

    @classmethod
    def open(cls, path: Path) -> "RunDirectory":
        """Open an existing run directory.

        Raises:
            SettingsError: where it is none.

        """
        found = (path / "scenario.yaml").is_file()
        expect(found, "a run directory (with a scenario.yaml in it)", str(path), "`oleander run` prints its path.")
        return cls(path.resolve())

    @property
    def scenario(self) -> scenarios.Scenario:
        """The resolved scenario."""
        return scenarios.resolve(parse(scenarios.Scenario, read(self.path / "scenario.yaml"), "scenario"))

    def environment(self) -> dict[str, Any]:
        """Return environment.json; empty where there is none."""
        return _read_json(self.path / "environment.json")

    def update_environment(self, **fields: Any) -> None:
        """Add to environment.json, atomically."""
        write_json(self.path / "environment.json", self.environment() | fields)

    @property
    def is_of_several_hosts(self) -> bool:
        """Whether participants came from other hosts, on which their loot lies until it is brought."""
        return "address" in self.environment()

    def bring(self, folder: Path) -> None:
        """Copy what participants on another host took and published in this run; a second time, too.

        Args:
            folder: the --out of an `oleander deploy client`, or a copy of it.

        Raises:
            SettingsError: as `oleander.bringing.claims` has it.

        """
        known, clients = self.environment(), self.scenario.federation.clients
        before, number = known.get("brought", {}), known.get("run_id")
        if not isinstance(number, int):
            raise SettingsError(
                f"Expected a run that has begun, got {self.path}, without a run_id in environment.json."
            )
        found = bringing.claims(folder, number, self.path, clients, before)
        self.update_environment(brought=before | found)  # first: what stops halfway can be done again
        bringing.copy(folder, number, self.path, clients)

    def rounds(self) -> list[dict[str, Any]]:
        """Return the lines of rounds.jsonl; a line that is still being written is left out."""
        return _read_lines(self.path / "rounds.jsonl")

    def attack_log(self, who: str) -> list[dict[str, Any]]:
        """Return the lines of an attacker's own log, one a round."""
        return _read_lines(self.path / "loot" / who / "attack.jsonl")

    def attack_failures(self) -> list[tuple[int, str]]:
        """Return in which rounds the server's attack failed, and how."""
        return [(int(line["round"]), str(text)) for line in self.rounds() for text in line.get("attack_failures") or ()]

    def loot(self) -> dict[str, dict[int, Path]]:
        """Return the files of samples by attacker and round."""
        found: dict[str, dict[int, Path]] = {}
        for path in sorted(self.path.glob("loot/*/samples-round-*.npz")):
            found.setdefault(path.parent.name, {})[_round_of(path)] = path
        return found

    def samples(self, who: str, server_round: int) -> "tuple[Tensor, Tensor]":
        """Return an attacker's samples of a round: images float32 [N, C, H, W] in [-1, 1], labels int64 [N]."""
        return _load_images(self.path / "loot" / who / f"samples-round-{server_round:04d}.npz")

    def other_samples(self, who: str, server_round: int) -> "tuple[Tensor, Tensor] | None":
        """Return a server's samples of "not the victim", as `samples` does; None where there are none."""
        path = self.path / "loot" / who / f"other-round-{server_round:04d}.npz"
        return _load_images(path) if path.is_file() else None

    def not_owned_samples(self, who: str, server_round: int) -> "tuple[Tensor, Tensor] | None":
        """Return a server's samples of classes that its victim does not hold, likewise."""
        path = self.path / "loot" / who / f"not-owned-round-{server_round:04d}.npz"
        return _load_images(path) if path.is_file() else None

    def representatives(self, who: str) -> "dict[int, Path]":
        """Return the files of representatives by round."""
        return {_round_of(path): path for path in sorted(self.path.glob(f"loot/{who}/representatives-round-*.npz"))}

    def representatives_of(self, who: str, server_round: int) -> "tuple[Tensor, Tensor, Tensor]":
        """Return a round's representatives as `samples` does, and whose they are, client int64 [N]."""
        path = self.path / "loot" / who / f"representatives-round-{server_round:04d}.npz"
        images, labels = _load_images(path)
        return images, labels, _load_array(path, "client")

    def scores(self) -> dict[str, dict[int, dict[str, Path]]]:
        """Return the files of membership scores by attacker, round and method."""
        found: dict[str, dict[int, dict[str, Path]]] = {}
        for path in sorted(self.path.glob("loot/*/scores-*-round-*.npz")):
            method = path.stem.removeprefix("scores-").rsplit("-round-", 1)[0]
            found.setdefault(path.parent.name, {}).setdefault(_round_of(path), {})[method] = path
        return found

    def victims(self) -> "dict[int, tuple[Tensor, Tensor]]":
        """Return the victims' own images and labels by client id, as `samples` does."""
        found = sorted(self.path.glob("truth/victim-*.npz"))
        return {int(path.stem.removeprefix("victim-")): _load_images(path) for path in found}

    def published(self) -> "dict[int, tuple[Tensor, Tensor, Tensor]]":
        """Return by client id what a defended participant trains on, as last fitted.

        Images and labels as `samples` has them, and which of them are its own, bool [N].
        """
        found = sorted(self.path.glob("published/client-*/published.npz"))
        return {
            int(path.parent.name.removeprefix("client-")): (*_load_images(path), _load_array(path, "genuine").bool())
            for path in found
        }

    def fits(self, client: int) -> list[dict[str, Any]]:
        """Return the lines of a defended participant's fit.jsonl, one a fit."""
        return _read_lines(self.path / "published" / f"client-{client}" / "fit.jsonl")

    def global_rounds(self) -> list[int]:
        """Return the rounds whose global model was kept."""
        return sorted(_round_of(path) for path in self.path.glob("global/round-*.safetensors"))

    def global_model(self, server_round: int | None = None) -> "dict[str, Tensor] | None":
        """Return the global model's weights after a round (None: the final ones) by name; None where not kept."""
        from safetensors.torch import load_file  # noqa: PLC0415 - it imports torch

        name = "final" if server_round is None else f"round-{server_round:04d}"
        path = self.path / "global" / f"{name}.safetensors"
        if not path.is_file():
            return None
        with readable(path):
            return load_file(path)

    def verdict(self) -> dict[str, Any]:
        """Return verdict.json; empty where there is none."""
        return _read_json(self.path / "verdict.json")

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.path / "figures"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.path / "logs"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"


def page_of(runs: Sequence[RunDirectory]) -> Path:
    """Return where a report goes when nobody says: one run's into its directory, and several runs' into none of theirs.

    Several runs have runs/report-TIMESTAMP.html below the working folder, which is never one that is there already.
    """
    return runs[0].report if len(runs) == 1 else unused(RUNS / f"report-{_stamp()}.html")


def _stamp() -> str:
    """Return the time for a name."""
    return time.strftime("%Y%m%d-%H%M%S")


def unused(base: Path) -> Path:
    """Return `base` or, where something of the same second has taken it, the first of its numbered siblings."""
    siblings = (base.with_stem(f"{base.stem}-{number}") for number in itertools.count(2))
    return next(path for path in itertools.chain([base], siblings) if not path.exists())


def _read_json(path: Path) -> dict[str, Any]:
    """Return a JSON mapping, empty where the file is not there."""
    if not path.is_file():
        return {}
    with readable(path):
        return _mapping(path.read_text(encoding="utf-8"))


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """Return a file of JSON lines; the last is left out while it is incomplete."""
    if not path.is_file():
        return []
    with readable(path):
        return [_mapping(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def _mapping(text: str) -> dict[str, Any]:
    """Return the mapping that a JSON text holds."""
    value = json.loads(text)
    expect(isinstance(value, dict), "a mapping in JSON", value)
    return dict(value)


def _round_of(path: Path) -> int:
    """Return the number in `...round-NNNN...`."""
    match = re.search(r"round-(\d+)", path.name)
    return int(match[1]) if match else -1


def _load_images(path: Path) -> "tuple[Tensor, Tensor]":
    """Read images and labels from an .npz."""
    from task.runs import read_arrays  # noqa: PLC0415 - see TYPE_CHECKING

    with readable(path):
        arrays = read_arrays(path)
        images, labels = arrays["images"].float(), arrays["labels"].long()
        fits = images.ndim == 4 and labels.shape == images.shape[:1]  # noqa: PLR2004 - [N, C, H, W]
        expect(fits, "images [N, C, H, W] with a label each", (tuple(images.shape), tuple(labels.shape)))
    return images, labels


def _load_array(path: Path, name: str) -> "Tensor":
    """Read one array of whole numbers from an .npz."""
    from task.runs import read_arrays  # noqa: PLC0415 - see TYPE_CHECKING

    with readable(path):
        return read_arrays(path)[name].long()
