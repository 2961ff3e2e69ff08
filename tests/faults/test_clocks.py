"""A participant's clock is wrong: without keys that costs nothing, and with keys the participant is refused."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oleander.deploy.issuing import issue
from oleander.engines.ports import HOST, free_ports
from oleander.rundir import RunDirectory

ROOT = Path(__file__).parents[2]
WRONG = """import datetime, os, time
off = float(os.environ.get("OLEANDER_CLOCK", 0))
real_time, real = time.time, datetime.datetime
class Wrong(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=off)
if off:
    time.time, datetime.datetime = lambda: real_time() + off, Wrong
"""
SETTINGS = ("federation.clients=2", "federation.rounds=2", "federation.join_timeout=30", "federation.devices=cpu")


@pytest.mark.parametrize(
    ("security", "off", "clients"),
    [("--insecure", 3600, [0, 1]), ("--insecure", -3600, [0, 1]), ("--certificates", 60, [0])],
)
def test_a_wrong_clock(security: str, off: int, clients: list[int], tmp_path: Path) -> None:
    """An hour makes no difference in plain text; a signed request of a minute ahead ends client 1 with 2."""
    (tmp_path / "sitecustomize.py").write_text(WRONG)
    address = f"{HOST}:{free_ports(1)[0]}"
    issue(tmp_path / "certificates", [HOST], clients=2, days=1)
    secure = [security] if security == "--insecure" else [security, str(tmp_path / "certificates")]

    def start(*words: str, off: int = 0) -> "subprocess.Popen[str]":
        settings = [*SETTINGS, "federation.min_replies=1", "task.partition.images=40", "clients.0.ids=[1]"]
        command = [sys.executable, "-m", "oleander", "deploy", *words, *secure]
        command += [word for one in settings for word in ("--set", one)]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OLEANDER_CLOCK": str(off)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes)  # type: ignore[call-overload]

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(start("server", "gan-attack-digits", "--address", address, "--out", "run"))
        join = ("gan-attack-digits", "--server", address, "--out")
        right = stack.enter_context(start("client", "0", *join, "right"))
        wrong = stack.enter_context(start("client", "1", *join, "wrong", off=off))
        for process in (right, wrong):
            stack.callback(process.send_signal, signal.SIGTERM)
        said, _ = server.communicate(timeout=200)
        assert server.returncode == 0, said
        if clients == [0]:
            refused, _ = wrong.communicate(timeout=60)
            assert wrong.returncode == 2
            assert "a clock that is wrong by more than five seconds" in " ".join(refused.split())
    rounds = RunDirectory.open(tmp_path / "run").rounds()
    assert [line["clients"] for line in rounds] == [clients] * 2
    assert [[one["client"] for one in line["failures"]] for line in rounds] == [[] if len(clients) > 1 else [1]] * 2
