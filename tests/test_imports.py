"""What tests and benchmarks import is there, in slow ones too, which nobody runs every day."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OURS = ("collector", "ml", "orchestration", "simulation", "tests")


def imported(file: Path) -> set[tuple[str, str]]:
    """Module and name of each ``from … import …`` of this project, wherever it stands."""
    return {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS
        for alias in node.names
    }


def is_there(module: str, name: str) -> bool:
    """Whether a module has a name, or is a package that has a module of that name."""
    try:
        return hasattr(import_module(module), name) or bool(find_spec(f"{module}.{name}"))
    except ModuleNotFoundError as gone:
        if gone.name is None or not f"{module}.{name}".startswith(gone.name):
            raise  # it is there, and what it needs is not
        return False


@pytest.mark.parametrize(
    "file", sorted(TESTS.rglob("*.py")), ids=lambda file: str(file.relative_to(TESTS))
)
def test_a_file_imports_what_is_there(file: Path) -> None:
    assert {each for each in imported(file) if not is_there(*each)} == set()


def test_what_is_gone_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text(
        "def late() -> None:\n"
        "    from orchestration.lake import Lake, Pond\n"
        "    from orchestration.puddle import Puddle\n"
    )
    gone = {each for each in imported(file) if not is_there(*each)}
    assert gone == {("orchestration.lake", "Pond"), ("orchestration.puddle", "Puddle")}
