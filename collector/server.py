"""One collector process: ``python -m collector.server <listening socket> <lifeline>``."""

import contextlib
import os
import secrets
import socket
import sys
import threading

import uvicorn
from filelock import FileLock, Timeout

from collector.app import Collector, create_app
from collector.commits import GroupCommit
from collector.configuration import EXIT_CONFIGURATION, NotConfigured, origins_of, write_keys
from collector.journal import Journals
from collector.keys import WriteKeys
from collector.mapping import MappingError, SpecMapping
from collector.messages import Spec
from orchestration.settings import Settings, settings

DRAIN_SECONDS = 10
LOCK_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75
BACKLOG = 2_048
MEGABYTE = 1 << 20


def build(values: Settings) -> Collector:
    """Make a collector from the settings; nothing is opened yet but folders.

    Raises
    ------
    NotConfigured, MappingError
        When a setting is missing or the mapping cannot be used.
    """
    keys = write_keys(values)
    journals = Journals(
        values.collector_home / "journal",
        values.landing,
        secrets.token_hex(4),
        values.collector_roll_seconds,
        int(values.collector_roll_mb * MEGABYTE),
    )
    commits = GroupCommit(
        journals,
        values.collector_home,
        int(values.collector_queue_mb * MEGABYTE),
        int(values.collector_min_free_mb * MEGABYTE),
    )
    spec = Spec(
        SpecMapping.load(values.collector_mapping),
        orders=values.collector_orders,
        keep_ip=values.collector_keep_ip,
    )
    return Collector(WriteKeys(keys), spec, journals, commits)


def serve(values: Settings, listener: socket.socket, lifeline: int | None = None) -> None:
    """Answer requests until told to stop, or until the supervisor at the lifeline is gone.

    Raises
    ------
    NotConfigured
        When another collector works in this home.
    """
    app = create_app(build(values), origins_of(values))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = uvicorn.Server(config)
    if lifeline is not None:
        watch = threading.Thread(target=_watch, args=(lifeline, server), daemon=True)
        watch.start()
    lock = FileLock(values.collector_home / "lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise NotConfigured(
            f"another collector works in {values.collector_home}: stop it, or set SHOAL_HOME"
        ) from None
    with contextlib.closing(listener), lock:
        server.run(sockets=[listener])


def _watch(lifeline: int, server: uvicorn.Server) -> None:
    """Drain and end when the other end of the pipe is closed: the supervisor died."""
    os.read(lifeline, 1)
    server.should_exit = True


def main(arguments: list[str]) -> None:
    """Serve on a socket that the supervisor opened."""
    descriptor, lifeline = (int(argument) for argument in arguments)
    try:
        serve(settings(), socket.socket(fileno=descriptor), lifeline)
    except (NotConfigured, MappingError) as problem:
        print(f"collector: {problem}", file=sys.stderr)
        sys.exit(EXIT_CONFIGURATION)


if __name__ == "__main__":
    main(sys.argv[1:])
