"""What is packed is what is needed: the wheel works from any folder, and Flower's bundle has all that nodes run."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from flwr.cli.build import build_fab_from_disk

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, away from the repository."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("oleander-*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(out / "unpacked")
    return out / "unpacked"


def files(folder: Path, suffix: str) -> set[str]:
    """Return the paths of the files below `folder` with a suffix, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob(f"*{suffix}") if "__pycache__" not in path.parts}


def test_wheel_carries_every_package_and_scenario(wheel: Path) -> None:
    """Each module, template and scenario of the repository is in the wheel; no test is."""
    assert {"task", "attacks", "defenses", "client_app", "server_app", "strategies", "oleander"} <= set(PACKAGES)
    for package in PACKAGES:
        assert files(ROOT / package, "") <= files(wheel / package, ""), package
    assert files(ROOT / "scenarios", ".yaml") == files(wheel / "oleander" / "scenarios", ".yaml")
    assert not (wheel / "tests").exists()
    assert list(wheel.glob("*.dist-info/licenses/LICENSE"))


def test_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """From the unpacked wheel, in an empty folder, the command lists and loads the scenarios that it carries."""
    code = """
import sys
sys.path.insert(0, sys.argv.pop(1))  # before an editable installation's path
import oleander.scenario
assert oleander.scenario.__file__.startswith(sys.path[0]), oleander.scenario.__file__
print(oleander.scenario.load("demo").federation.clients)
from oleander.cli import main
for kind in ("scenarios", "matrices"):
    main(["list", kind])
"""
    command = [sys.executable, "-c", code, str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    demo = yaml.safe_load((ROOT / "scenarios" / "demo.yaml").read_text(encoding="utf-8"))
    assert done.stdout.splitlines()[0] == str(demo["federation"]["clients"])
    for scenario in (ROOT / "scenarios").glob("*.yaml"):
        assert scenario.stem in done.stdout


@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")  # Flower uses what pathspec gives up
def test_bundle_carries_what_nodes_run_and_nothing_else(tmp_path: Path) -> None:
    """`flwr run .` sends every package but the command's own, the components of pyproject.toml among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bundle = tmp_path / "oleander.fab"
    bundle.write_bytes(build_fab_from_disk(ROOT))
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
    sent = {
        f"{package}/{name}" for package in PACKAGES if package != "oleander" for name in files(ROOT / package, ".py")
    }
    assert names == sent | {"pyproject.toml", ".info/CONTENT"}
    for component in project["tool"]["flwr"]["app"]["components"].values():
        assert component.split(":")[0].replace(".", "/") + ".py" in names
