"""What is brought from the folders of other hosts, which their participants filled as they liked."""

import os
import shutil
from pathlib import Path

import pytest

from oleander import scenario as scenarios
from oleander.rundir import RunDirectory
from task.settings import SettingsError

RUN_ID = 7


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Return the run directory of a federation of six."""
    made = RunDirectory.create(scenarios.load("gan-attack-digits"), tmp_path / "run")
    made.update_environment(address="192.0.2.1:9092", run_id=RUN_ID)
    return made


@pytest.fixture
def thief(tmp_path: Path) -> Path:
    """Return the --out of client 5, with one file of loot."""
    return left(tmp_path / "thief")


def left(folder: Path, who: str = "client-5", text: str = '{"round": 1}\n') -> Path:
    """Leave a line of loot of a participant in a folder, and return that."""
    own = folder / str(RUN_ID) / "loot" / who
    own.mkdir(parents=True)
    (own / "attack.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_one_folder_is_brought_as_often_as_asked(run: RunDirectory, thief: Path) -> None:
    """With what has been added meanwhile, without drafts; a host of two participants brings both."""
    run.bring(thief)
    own = left(thief, "client-2") / str(RUN_ID) / "loot" / "client-5"
    (own / "attack.jsonl").write_text('{"round": 1}\n{"round": 2}\n', encoding="utf-8")
    (own / ".attack.jsonl.1").write_text("a draft", encoding="utf-8")
    run.bring(thief)
    assert run.attack_log("client-5") == [{"round": 1}, {"round": 2}]
    assert run.attack_log("client-2") == [{"round": 1}]
    assert [path.name for path in (run.path / "loot" / "client-5").iterdir()] == ["attack.jsonl"]


@pytest.mark.parametrize("level", [".", "7", "7/loot", "7/loot/client-5", "7/loot/client-5/attack.jsonl"])
def test_a_link_is_refused_at_every_level(run: RunDirectory, thief: Path, tmp_path: Path, level: str) -> None:
    """It leads to a folder as it should be, but of the server's host; nothing is copied."""
    shutil.move(thief / level, tmp_path / "elsewhere")
    (thief / level).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"got 'a link'\. Links are not followed"):
        run.bring(thief)
    assert not (run.path / "loot").exists()


def test_a_pipe_is_refused(run: RunDirectory, thief: Path) -> None:
    """Nobody waits for what somebody may write to it one day; a folder where a file belongs is refused, too."""
    own = thief / str(RUN_ID) / "loot" / "client-5"
    os.mkfifo(own / "samples-round-0001.npz")
    with pytest.raises(SettingsError, match=r"a regular file .*samples-round-0001\.npz, got 'something else'"):
        run.bring(thief)
    (own / "samples-round-0001.npz").unlink()
    (own / "samples-round-0001.npz").mkdir()
    with pytest.raises(SettingsError, match="a regular file"):
        run.bring(thief)
    assert not (run.path / "loot").exists()


@pytest.mark.parametrize("who", ["client-6", "client-05", "server", "client-5.1"])
def test_a_stranger_is_refused(run: RunDirectory, thief: Path, who: str) -> None:
    """There are clients 0 to 5, each with one name."""
    left(thief, who)
    with pytest.raises(SettingsError, match=f"client-0 to client-5 .*got '{who}'"):
        run.bring(thief)
    assert not (run.path / "loot").exists()


def test_a_participants_files_come_from_one_folder(run: RunDirectory, thief: Path, tmp_path: Path) -> None:
    """Another host may not put its own in their place, before or after, until they are removed by hand."""
    run.bring(left(tmp_path / "first", "client-4", '{"round": 1}\n'))
    false = left(left(tmp_path / "false"), "client-4", '{"round": 9}\n')
    with pytest.raises(SettingsError, match=r"what client-4 took or published, got '.*first, too'.*remove .*client-4 "):
        run.bring(false)
    assert run.attack_log("client-4") == [{"round": 1}]
    shutil.rmtree(run.path / "loot" / "client-4")
    run.bring(false)
    assert run.attack_log("client-4") == [{"round": 9}]
    with pytest.raises(SettingsError, match="what client-5 took"):
        run.bring(thief)


def test_a_folder_without_loot_of_the_run_is_refused(run: RunDirectory, tmp_path: Path) -> None:
    """One of another run, and one that is not there."""
    (tmp_path / "empty" / "8" / "loot" / "client-5").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"Expected loot of run 7 in .*empty, got 'none'"):
        run.bring(tmp_path / "empty")
    with pytest.raises(SettingsError, match="No such file"):
        run.bring(tmp_path / "nowhere")
