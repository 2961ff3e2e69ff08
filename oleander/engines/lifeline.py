"""The child's end of the line to the command: events go up as JSON lines, and the line's breaking means: end."""

import json
import os
import shutil
import threading
from collections.abc import Mapping
from typing import Any

from oleander.engines.processes import adopt_orphans, end_descendants


class Lifeline:
    """A fleet's line to the command that started it (standard input and output, which are taken over).

    Attributes:
        folders: removed when the fleet ends.
        descriptor: becomes readable when the command has ended or wants the fleet to end.

    """

    def __init__(self, home: str) -> None:
        """Take over standard input and output; what libraries print goes to standard error from now on.

        Args:
            home: folder that is removed when the fleet ends.

        """
        self.folders = [home]
        self._ending = threading.Lock()
        self.descriptor = os.dup(0)
        self._events = os.dup(1)
        os.dup2(2, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        adopt_orphans()

    def tell(self, event: str, **fields: Any) -> None:
        """Send one event to the command."""
        line = json.dumps({"event": event, **fields}) + "\n"
        try:
            os.write(self._events, line.encode())
        except BrokenPipeError:  # the command was killed; the lifeline says so too
            return

    def end(self, code: int) -> None:
        """End every descendant, remove the folders, and leave this process at once; who comes second waits for that."""
        self._ending.acquire()
        end_descendants()
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(code)

    def watch(self) -> None:
        """End all from a thread when the line breaks, for programs whose main thread is Flower's."""

        def wait() -> None:
            while os.read(self.descriptor, 1):
                pass
            self.end(1)

        threading.Thread(target=wait, daemon=True, name="lifeline").start()


def read(line: bytes) -> Mapping[str, Any]:
    """Return the event in a line that `Lifeline.tell` sent."""
    value: Mapping[str, Any] = json.loads(line)
    return value
