"""Processes to kill, hundreds of them: one warm process imports everything, its children work.

A child is a process of its own with its own connections; only the start of Python is shared. The
server opens no connection and starts no thread, so that a fork is sound. It is spoken to in lines
of JSON; run as ``python -m tests.crash.fork_server``.
"""

import contextlib
import faulthandler
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
IMPORTS = (
    "dbt.cli.main",
    "lightgbm",
    "mlflow",
    "orchestration.defs.scores.assets",
    "sklearn.ensemble",
    "tests.crash.work",
)
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 0.002
LOOK_SECONDS = 1.0


@dataclass
class Child:
    """A process that does one piece of work.

    Attributes
    ----------
    code
        Exit code, negative for a signal; None while it runs.
    """

    server: "ForkServer"
    pid: int
    folder: Path
    code: int | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def log(self) -> str:
        return (self.folder / f"{self.pid}.log").read_text(errors="replace")

    def is_over(self) -> bool:
        if self.code is None:
            self.code = self.server.ask(poll=self.pid)["code"]
        return self.code is not None

    def wait(self) -> None:
        """Wait for its end, which has to be a good one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.is_over():
            assert time.monotonic() < deadline, f"{self.where()}\n{self.log[-3000:]}"
            time.sleep(POLL_SECONDS)
        assert self.code == 0, self.log[-3000:]

    def run_for(self, seconds: float) -> bool:
        """Let it work so long; gives whether it is still at it."""
        until = self.started + seconds
        while time.monotonic() < until:
            if self.is_over():
                return False
            time.sleep(min(POLL_SECONDS, max(until - time.monotonic(), 0)))
        return not self.is_over()

    def kill(self) -> str | None:
        """Kill it with SIGKILL; gives the function of the product in which it was.

        None when its work was done before.
        """
        place = self.where()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        while not self.is_over():
            time.sleep(POLL_SECONDS)
        return None if self.code == 0 else place

    def where(self) -> str:
        """The innermost function of the product that it is in, by a look at its stack."""
        before = len(self._stacks())
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        until = time.monotonic() + LOOK_SECONDS
        text = ""
        while time.monotonic() < until and not self.is_over():
            text = self._stacks()[before:]
            if "fork_server.py" in text:  # the outermost frame: it is written to the end
                break
            time.sleep(POLL_SECONDS)
        return innermost(text)

    def _stacks(self) -> str:
        """What `faulthandler` wrote; a child so young that it has no file yet is nowhere."""
        try:
            return (self.folder / f"{self.pid}.stack").read_text()
        except FileNotFoundError:
            return ""


def innermost(stack: str) -> str:
    """``module.function`` of the first frame of the product in a stack of `faulthandler`."""
    for line in stack.splitlines():
        name, _, function = line.strip().removeprefix('File "').partition('", line ')
        for package in ("orchestration", "collector"):
            folder = f"{PROJECT / package}/"
            if name.startswith(folder):
                module = Path(name.removeprefix(folder)).with_suffix("")
                return f"{'.'.join(module.parts)}.{function.partition(' in ')[2]}"
    return "before or after the product's own code"


class ForkServer:
    """The warm process, from the outside; all of its children work on one home."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._environment = dict(environment or {})
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("SHOAL_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.fork_server"],
            cwd=PROJECT,
            env={**inherited, **self._given(), "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def spawn(self, work: str, **arguments: Any) -> Child:
        """Start a function of `tests.crash.work` on the home."""
        folder = self._home.parent / "children"
        folder.mkdir(exist_ok=True)
        pid = self.ask(work=work, arguments=arguments, folder=str(folder))["pid"]
        return Child(self, pid, folder)

    def _given(self) -> dict[str, str]:
        return {
            "SHOAL_HOME": str(self._home),
            "DAGSTER_HOME": str(self._home / "dagster"),
            "SHOAL_SETTLE_SECONDS": "0",
            "SHOAL_THREADS": "1",
            **self._environment,
        }

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_SECONDS)


def serve() -> None:
    """Fork and poll until the other side goes."""
    for name in IMPORTS:
        importlib.import_module(name)
    importlib.import_module("orchestration.definitions").defs().resolve_job_def("batch_job")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        answer: dict[str, Any]
        if "poll" in question:
            pid, status = os.waitpid(question["poll"], os.WNOHANG)
            answer = {"code": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            pid = os.fork()
            if pid == 0:
                answers.close()
                _work(question)
            answer = {"pid": pid}
        print(json.dumps(answer), file=answers, flush=True)


def _work(question: dict[str, Any]) -> None:
    """Do the work and end this process."""
    code = 1
    try:
        folder = Path(question["folder"])
        os.setsid()
        stacks = (folder / f"{os.getpid()}.stack").open("w")
        faulthandler.register(signal.SIGUSR1, stacks, all_threads=True)
        log = os.open(folder / f"{os.getpid()}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        function = getattr(importlib.import_module("tests.crash.work"), question["work"])
        function(**question["arguments"])
        code = 0
    except BaseException:  # noqa: BLE001  (whatever it is, the tester reads it in the log)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
