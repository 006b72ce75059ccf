"""Keeps a collector process alive: the socket stays open while a dead one is replaced.

Connections that come meanwhile wait in the backlog of the socket, so a client sees a slow answer
and no refusal. The process holds one end of a pipe; when the supervisor itself is killed, the
other end closes and the process drains and ends, and leaves socket and journals to the next.
"""

import os
import signal
import socket
import subprocess
import sys
import time

from collector.configuration import EXIT_CONFIGURATION, write_keys
from orchestration.settings import PROJECT_ROOT, Settings

BACKLOG = 2_048
BIND_SECONDS = 10.0
SETTLED_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0
POLL_SECONDS = 0.1
DRAINED = (0, -signal.SIGTERM, -signal.SIGINT)  # the server dies of the signal once it has drained


def listen(host: str, port: int) -> socket.socket:
    """Open the socket; waits while a collector whose supervisor died still drains.

    Raises
    ------
    OSError
        When the address is taken by somebody else.
    """
    deadline = time.monotonic() + BIND_SECONDS
    while True:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            return listener


class Supervisor:
    """Starts a collector process, and another one whenever it dies."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Go on until told to stop or until the configuration is at fault; gives the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping:
            started = time.monotonic()
            code = self._run_one()
            if self._stopping:
                return 0 if code in DRAINED else code
            if code == EXIT_CONFIGURATION:
                return code
            if time.monotonic() - started > SETTLED_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            print(f"collector: process ended with {code}, another one starts", file=sys.stderr)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return 0

    def _run_one(self) -> int:
        reading, writing = os.pipe()
        socket_number = self._listener.fileno()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "collector.server", str(socket_number), str(reading)],
                pass_fds=(socket_number, reading),
                cwd=PROJECT_ROOT,
            )
            os.close(reading)
            if self._stopping:
                self._process.terminate()
            return self._process.wait()
        finally:
            os.close(writing)

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True
        if self._process is not None:
            self._process.terminate()


def supervise(values: Settings) -> int:
    """Collect until told to stop.

    Raises
    ------
    NotConfigured
        When there is no write key.
    OSError
        When the address cannot be listened on.
    """
    write_keys(values)
    with listen(values.collector_host, values.collector_port) as listener:
        host, port = listener.getsockname()[:2]
        print(f"collecting at http://{host}:{port}, into {values.landing}", flush=True)
        return Supervisor(listener).run()
