"""What became of a fleet: takes its events, keeps nodes and losses in environment.json, says why a run failed."""

from collections.abc import Mapping
from typing import Any

from oleander.engines import EngineError, log
from oleander.engines.logs import tail
from oleander.rundir import RunDirectory
from task.settings import SettingsError


class Outcome:
    """How a fleet is doing.

    Attributes:
        code: its exit code, once it has ended.
        unsupported: why it could not start with this Flower; empty where it could.

    """

    def __init__(self, run: RunDirectory, log_name: str) -> None:
        """Watch over a run directory.

        Args:
            run: the run directory.
            log_name: of the log, in its folder of logs, that the fleet's own program writes.

        """
        self._run, self._log_name = run, log_name
        self._nodes: dict[int, dict[str, Any]] = {}
        self._lost: list[dict[str, Any]] = []
        self._refused = self._failed = ""
        self.unsupported = ""
        self.code = 0

    def take(self, event: Mapping[str, Any]) -> None:
        """Take one event of the fleet."""
        fields = {key: value for key, value in event.items() if key != "event"}
        match event["event"]:
            case "node" | "met":  # from this host and from another
                self._nodes.setdefault(event["client"], {}).update(fields)
            case "lost":
                self._lost.append(fields)
                self.keep()
                log.warning(
                    "Client %d was lost: its SuperNode (process %d) %s. %s",
                    event["client"],
                    event["pid"],
                    event["how"],
                    tail(self._run.logs / event["log"]),
                )
            case "unsupported":
                self.unsupported = event["reason"]
            case "refused":
                self._refused = event["reason"]
            case "failed":
                log_file = event.get("log")
                self._failed = event["reason"] + (" " + tail(self._run.logs / log_file) if log_file else "")

    def keep(self) -> None:
        """Write what the fleet knows beside what the server wrote, wherever it is missing.

        The server reads and writes the same file, and may put back what it has read: so this is called again and again,
        and once more when the server has ended.
        """
        written = self._run.environment()
        known = {node["client"]: node for node in written.get("nodes", [])}
        nodes = [_merge(fields, known.get(client, {})) for client, fields in sorted(self._nodes.items())]
        changed: dict[str, Any] = {}
        if nodes and nodes != list(known.values()):
            changed["nodes"] = nodes
        if self._lost != written.get("lost", []):
            changed["lost"] = self._lost
        if changed:
            self._run.update_environment(**changed)

    def check(self) -> None:
        """Raise what the run failed with.

        Raises:
            SettingsError: if the request cannot be run.
            EngineError: if the run failed.

        """
        if self._refused:
            raise SettingsError(self._refused)
        if self._failed:
            raise EngineError(self._failed)
        if self.code:
            said = tail(self._run.logs / self._log_name)
            raise EngineError(f"The fleet ended with exit code {self.code} before it could say why. {said}")


def _merge(ours: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node: what the engine knows goes before what the server was told; it was told just `cuda` for a GPU."""
    merged = {**ours, **answer, **{key: value for key, value in ours.items() if value is not None}}
    if answer.get("device") == "cpu":  # it was given a GPU and cannot use it
        merged["device"] = "cpu"
    return merged
