"""Imports run one way only: task <- attacks, defenses <- client_app, strategies, server_app <- oleander."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ATTACKS = {"task"}
GLUE = {"task", "attacks", "defenses", "flwr"}
ALLOWED = {  # of this project and Flower, what each package may import; anything else is free
    "task": set(),
    "attacks": ATTACKS,
    "defenses": ATTACKS,
    "client_app": GLUE,
    "strategies": GLUE,
    "server_app": GLUE | {"strategies"},
    "oleander": GLUE | {"client_app", "strategies", "server_app"},
}
WATCHED = set(ALLOWED) | {"flwr"}


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the top-level name of every import, wherever it stands: in functions and by name, too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, str(node.module).split(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in ("import_module", "__import__"):
                yield node.lineno, str(node.args[0].value).split(".")[0]


def wrong_imports(root: Path) -> list[str]:
    """Return "file:line imports name" for every import in a wrong direction below `root`."""
    wrong = []
    for package, allowed in ALLOWED.items():
        for path in sorted((root / package).rglob("*.py")):
            for line, name in imported(path.read_text(encoding="utf-8")):
                if name in WATCHED - allowed - {package}:
                    wrong.append(f"{path.relative_to(root)}:{line} imports {name}")
    return wrong


def test_imports_run_one_way() -> None:
    """No package of this project imports one above it or beside it."""
    assert list((ROOT / "task").glob("*.py")), "the walk found nothing to look at"
    assert wrong_imports(ROOT) == []


@pytest.mark.parametrize(
    ("package", "source", "name"),
    [
        ("task", "import attacks.gan", "attacks"),
        ("task", "from flwr.app import Message", "flwr"),
        ("attacks", "def late():\n    from defenses import anti_gan", "defenses"),
        ("attacks", "import importlib\nimportlib.import_module('oleander.rundir')", "oleander"),
        ("defenses", "import attacks", "attacks"),
        ("client_app", "if True:\n    import oleander as o", "oleander"),
        ("strategies", "import task, server_app.app", "server_app"),
        ("server_app", "from client_app import app", "client_app"),
    ],
)
def test_the_walk_catches_a_wrong_import(tmp_path: Path, package: str, source: str, name: str) -> None:
    """A planted import in a wrong direction is found, in its file and line, however it is written."""
    folder = tmp_path / package / "deeper"
    folder.mkdir(parents=True)
    (folder / "module.py").write_text(source, encoding="utf-8")
    line = source.count("\n") + 1
    assert wrong_imports(tmp_path) == [f"{package}/deeper/module.py:{line} imports {name}"]


def test_the_walk_lets_right_imports_pass(tmp_path: Path) -> None:
    """Downward, relative and foreign imports are none of its business."""
    for package, source in {
        "oleander": "import client_app, torch\nfrom flwr.app import Message",
        "attacks": "from . import views\nfrom task.models import build\nimport attacks.views",
    }.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "module.py").write_text(source, encoding="utf-8")
    assert wrong_imports(tmp_path) == []


def run(code: str) -> str:
    """Return what `code` prints in a fresh process, in the repository's root."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def test_task_attacks_and_defenses_need_no_flower() -> None:
    """Every module of the three imports on a machine without Flower."""
    code = """
import importlib, pathlib, sys
sys.modules["flwr"] = None  # from now on, `import flwr` fails
modules = sorted(path for package in ("task", "attacks", "defenses") for path in pathlib.Path(package).rglob("*.py"))
for path in modules:
    importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
print(len(modules))
"""
    assert int(run(code)) >= 10


def test_help_imports_no_torch() -> None:
    """`oleander --help` answers without PyTorch, torchvision, Flower, matplotlib or scikit-learn."""
    code = """
import sys
from oleander.cli import main
sys.argv = ["oleander", "--help"]
try:
    main()
finally:
    print("heavy:", sorted({"torch", "torchvision", "flwr", "matplotlib", "sklearn", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout
    assert done.stdout.strip().endswith("heavy: []")
