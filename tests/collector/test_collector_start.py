"""The collector starts fast and stays small: it loads nothing of what works on tables."""

import subprocess
import sys

from orchestration.settings import PROJECT_ROOT

HEAVY = ("dagster", "duckdb", "pandas", "numpy", "pyarrow", "sqlalchemy")


def test_nothing_heavy_is_loaded() -> None:
    code = "import sys, collector.server; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, check=True, text=True
    ).stdout.split()
    assert "uvicorn" in loaded
    assert not set(HEAVY) & set(loaded)


def test_the_supervisor_loads_no_server() -> None:
    code = "import sys, collector.supervisor; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, check=True, text=True
    ).stdout.split()
    assert "collector.configuration" in loaded
    assert not {"uvicorn", "fastapi", "starlette"} & set(loaded)
