"""The command line: exit statuses and texts, as a user sees them."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from oleander.cli import main
from oleander.rundir import RunDirectory

ROOT = Path(__file__).parents[2]


def oleander(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "oleander", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_help_names_every_verb() -> None:
    """The contract's verbs that are there."""
    answer = oleander("--help")
    assert answer.returncode == 0
    for verb in ("demo", "run", "matrix", "judge", "report", "list", "doctor"):
        assert verb in answer.stdout


@pytest.mark.parametrize(("asked", "used"), [([], "inline"), (["--engine", "ray"], "ray")])
def test_a_scenario_may_name_its_engine(
    asked: list[str], used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command's own choice goes before it."""
    ran = []
    monkeypatch.setattr("oleander.engines.run", lambda engine, *_: ran.append(engine))
    main(["run", "virtual-clients", "--set", "federation.engine=inline", *asked, "--out", str(tmp_path / "run")])
    assert ran == [used]
    assert RunDirectory(tmp_path / "run").environment()["engine"] == used


def test_the_version_is_that_of_the_package(capfd: pytest.CaptureFixture[str]) -> None:
    """Installed or merely on the path."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert main(["--version"]) == 0
    assert capfd.readouterr().out == f"oleander {project['version']}\n"


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("run", ["SCENARIO is a YAML file", "[required]", "scenario's, grpc"]),
        ("matrix", ["SCENARIO is a matrix", "[required]", "[default: inline]"]),
        ("judge", ["RUN is a run directory", "[required]"]),
        ("report", ["RUNS are run directories", "[required]"]),
        ("list", ["WHAT is scenarios, matrices, attacks", "[default: all]"]),
    ],
)
def test_the_help_of_a_verb_says_what_its_arguments_are(
    verb: str, said: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """And what is left out stands for, without a backslash."""
    assert main([verb, "--help"]) == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capfd.readouterr().out)
    assert all(text in shown for text in said)
    assert "\\" not in shown


def test_help_imports_neither_torch_nor_flower() -> None:
    """That is why it answers at once."""
    code = (
        "import sys, oleander.cli; print([m for m in ('torch', 'flwr', 'matplotlib', 'sklearn') if m in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run", "dmo"], "Did you mean 'demo'"),
        (["run", "demo", "--set", "federation.ronds=3"], "Did you mean 'rounds'"),
        (["run", "demo", "--set", "federation.rounds=-3"], "rounds > 0"),
        (["run", "demo", "--set", "clients.0.ids=[9]"], "client ids from 0 to 5"),
        (["run", "demo", "--set", "clients.0.options.target=12"], "a target from 0 to 9"),
        (["run", "demo", "--set", "task.partition.images=100000"], "Expected"),
        (["run", "demo", "--engine", "grcp"], "Did you mean 'grpc'"),
        (["run", "virtual-clients", "--engine", "inline", "--stock"], "Expected an engine for --stock"),
        (["run", "demo", "--set", "server.attack=gan"], "put it under clients"),
        (["run", "demo", "--set", "server.attack_options.victim=1"], "an attack for server.attack_options"),
        (["run", "mgan-ai-digits", "--set", "server.attack=model-inversion"], "--set server.attack_options={}"),
        (["run", "gan-attack-mnist", "--data", "/nonexistent"], "--data"),
        (["run", "matrix-digits"], "Run it with `oleander matrix matrix-digits`"),
        (["matrix", "demo"], "Run it with `oleander run demo`"),
        (["judge", "/nonexistent"], "a run directory"),
        (["report", "/nonexistent"], "a run directory"),
        (["list", "scenrios"], "Did you mean 'scenarios'"),
    ],
)
def test_a_wrong_request_exits_with_2_and_says_what_was_expected(
    arguments: list[str], text: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback; the text on standard error names the remedy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OLEANDER_DATA", raising=False)
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert text in error.replace("\n", " ")
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_exits_as_shells_expect(number: int, status: int, tmp_path: Path) -> None:
    """128 and the signal's number, in the run directory too: neither done nor failed nor a wrong request."""
    out = tmp_path / "run"
    arguments = ["-m", "oleander", "run", "demo", "--set", "federation.rounds=500", "--out", str(out)]
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True) as command:
        try:
            while not (out / "logs" / "fleet.log").exists() and command.poll() is None:
                time.sleep(0.05)
            command.send_signal(number)
            _, error = command.communicate(timeout=60)
        finally:
            command.kill()
    assert command.returncode == status
    assert error == "Interrupted; everything that was started has been ended.\n"
    assert RunDirectory.open(out).environment()["exit"] == status


def test_a_taken_out_folder_exits_with_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The first run's files stay as they are."""
    (tmp_path / "kept").write_text("precious", encoding="utf-8")
    assert main(["run", "demo", "--out", str(tmp_path)]) == 2
    assert "new or empty folder" in capfd.readouterr().err.replace("\n", " ")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_truncated_data_set_exits_with_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The message names the file."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"\0\0\x08\x03\0\0")
    assert main(["run", "gan-attack-mnist", "--data", str(tmp_path)]) == 2
    assert "idx" in capfd.readouterr().err


def test_the_page_of_several_runs_is_none_of_their_own(
    fabricate: Callable[..., RunDirectory], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run's page is its report.html; that of two, twice within a second, is two pages more, of two runs each."""
    first, second = (str(fabricate(seed=seed).path) for seed in (0, 1))
    monkeypatch.chdir(tmp_path)
    assert main(["report", first]) == 0
    own = (Path(first) / "report.html").read_bytes()
    assert main(["report", first, str(Path(first) / ".")]) == 0
    assert (Path(first) / "report.html").read_bytes() == own
    assert main(["report", first, second]) == main(["report", second, first]) == 0
    assert (Path(first) / "report.html").read_bytes() == own
    assert not (Path(second) / "report.html").exists()
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "runs").glob("report-*.html")]
    assert ["2 runs side by side" in page for page in pages] == [True, True]


def test_what_cannot_be_written_after_the_rounds_exits_with_1(
    fabricate: Callable[..., RunDirectory], capfd: pytest.CaptureFixture[str]
) -> None:
    """As on a full disk; here a folder has the verdict's name, and a file that of the report's folder."""
    run = fabricate()
    (run.path / "verdict.json").unlink(missing_ok=True)
    (run.path / "verdict.json").mkdir()
    before = run.rounds()
    page = run.path / "rounds.jsonl" / "report.html"
    for arguments in (["judge", str(run.path)], ["report", str(run.path), "--out", str(page)]):
        assert main(arguments) == 1
        said = capfd.readouterr().err
        assert "The command failed: [Errno" in said
        assert "Traceback" not in said
    assert run.rounds() == before
    assert not list(run.path.glob(".*"))


def test_list_shows_what_there_is(capfd: pytest.CaptureFixture[str]) -> None:
    """Every kind, one line each."""
    assert main(["list"]) == 0
    shown = capfd.readouterr().out
    for name in ("demo", "gan-attack-mnist", "matrix-digits", "gan", "fashion-mnist", "sun-cnn", "fedmedian"):
        assert name in shown
    assert re.search(r"gan +participant +The client-side GAN attack", shown)


def test_doctor_finds_the_digits(capfd: pytest.CaptureFixture[str]) -> None:
    """They ship with scikit-learn; image-folder is missing without a folder, and it says so."""
    assert main(["doctor"]) == 0
    shown = capfd.readouterr().out
    assert "1442 training and 355 test images" in shown
    assert "The demo can run" in shown
