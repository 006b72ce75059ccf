"""The HTTP side: the calls of the Segment spec, canonical rows, and how things stand."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from collector.commits import Busy, GroupCommit, NotWritten
from collector.intake import (
    Refused,
    check_body_key,
    check_header_key,
    check_headers,
    messages_of_batch,
    read_body,
    rows_of_body,
)
from collector.journal import Journals
from collector.keys import WriteKeys
from collector.limits import BATCH_BYTES, BATCH_MESSAGES, SINGLE_BYTES, may_be_deep
from collector.messages import Spec, sent_at
from collector.plain import take_row
from collector.rows import Taken
from orchestration.ingestion.entities import ENTITIES

CALLS = {
    "track": ("/v1/track", "/v1/t"),
    "page": ("/v1/page", "/v1/p"),
    "screen": ("/v1/screen", "/v1/s"),
    "identify": ("/v1/identify", "/v1/i"),
    "group": ("/v1/group", "/v1/g"),
    "alias": ("/v1/alias", "/v1/a"),
}
BATCHES = ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")
SUCCESS = b'{"success":true}'
MESSAGES_AT_ONCE = 50
MOST_ERRORS = 20
READ_SECONDS = 30

Take = Callable[[Any, datetime], Taken]


@dataclass
class Collector:
    """What one collector process holds.

    Attributes
    ----------
    counts
        Messages and rows received, accepted and rejected since the start, and requests by status.
    """

    keys: WriteKeys
    spec: Spec
    journals: Journals
    commits: GroupCommit
    recovered: int = 0
    started: float = field(default_factory=time.time)
    counts: Counter[str] = field(default_factory=Counter)

    async def single(self, request: Request, kind: str) -> Response:
        """Take one call of the spec, whose kind the address says."""

        def take(value: Any, inspect: bool) -> tuple[list[Any], Take]:
            sent = sent_at(value) if isinstance(value, dict) else None
            message = {**value, "type": kind} if isinstance(value, dict) else value
            return [message], lambda one, now: self.spec.take(one, now, sent, inspect=inspect)

        return await self._answer(request, SINGLE_BYTES, take)

    async def batch(self, request: Request) -> Response:
        """Take a batch of calls, each of which says its kind."""

        def take(value: Any, inspect: bool) -> tuple[list[Any], Take]:
            messages = messages_of_batch(value, BATCH_MESSAGES)
            sent = sent_at(value)

            def one(message: Any, now: datetime) -> Taken:
                own = sent_at(message) if isinstance(message, dict) else None
                return self.spec.take(message, now, own or sent, inspect=inspect)

            return messages, one

        return await self._answer(request, BATCH_BYTES, take)

    async def rows(self, request: Request, entity: str) -> Response:
        """Take rows with canonical columns."""

        def take(value: Any, inspect: bool) -> tuple[list[Any], Take]:
            rows = rows_of_body(value, BATCH_MESSAGES)
            return rows, lambda row, now: take_row(entity, row, now, inspect=inspect)

        return await self._answer(request, BATCH_BYTES, take)

    async def _answer(
        self,
        request: Request,
        limit: int,
        take: Callable[[Any, bool], tuple[list[Any], Take]],
    ) -> Response:
        try:
            response = await self._take(request, limit, take)
        except Refused as problem:
            headers = {"WWW-Authenticate": "Basic"} if problem.status == 401 else None
            response = _failure(problem.status, str(problem), headers)
        except Busy as problem:
            seconds = str(problem.retry_seconds)
            # analytics.js reads the second of these
            headers = {"Retry-After": seconds, "X-RateLimit-Reset": seconds}
            response = _failure(429, str(problem), headers)
        except NotWritten as problem:
            response = _failure(503, f"not written: {problem}", {"Retry-After": "5"})
        except ClientDisconnect:
            response = _failure(400, "the client went away")
        self.counts[f"status_{response.status_code}"] += 1
        return response

    async def _take(
        self,
        request: Request,
        limit: int,
        take: Callable[[Any, bool], tuple[list[Any], Take]],
    ) -> Response:
        size = check_headers(request.headers, limit)
        has_key = check_header_key(request, self.keys)
        with self.commits.room(size):
            try:
                async with asyncio.timeout(READ_SECONDS):
                    body = await read_body(request, limit)
            except TimeoutError:
                raise Refused(408, f"body: not here within {READ_SECONDS} s") from None
            if not has_key:
                check_body_key(body.value, self.keys)
            messages, one = take(body.value, may_be_deep(body.text))
            now = datetime.now(UTC)
            taken: list[Taken] = []
            for number, message in enumerate(messages, 1):
                taken.append(one(message, now))
                if number % MESSAGES_AT_ONCE == 0:
                    await asyncio.sleep(0)  # a large batch holds nobody else up
            lines = [line for message in taken for line in message.lines]
            if lines:
                await self.commits.write(lines)
            return self._outcome(taken)

    def _outcome(self, taken: Sequence[Taken]) -> Response:
        errors = [
            {"index": index, "reason": message.reason}
            for index, message in enumerate(taken)
            if message.reason is not None
        ]
        self.counts["received"] += len(taken)
        self.counts["accepted"] += len(taken) - len(errors)
        self.counts["rejected"] += len(errors)
        if not errors:
            return _json(200, SUCCESS)
        content = {
            "success": len(errors) < len(taken),
            "received": len(taken),
            "accepted": len(taken) - len(errors),
            "rejected": len(errors),
            "errors": errors[:MOST_ERRORS],
        }
        return _json(200 if content["success"] else 400, orjson.dumps(content))

    def health(self) -> dict[str, Any]:
        """How things stand, in numbers."""
        commits = self.commits
        return {
            "status": commits.state,
            "up_seconds": round(time.time() - self.started, 1),
            "queue": {"requests": commits.queued_requests, "bytes": commits.queued_bytes},
            "disk": {"free_bytes": commits.free_bytes},
            "commits": asdict(commits.figures),
            "files": {"rolled": self.journals.rolled, "recovered": self.recovered},
            "counts": dict(sorted(self.counts.items())),
        }


def create_app(collector: Collector, origins: Sequence[str]) -> FastAPI:
    """Build the application; its life recovers, starts and drains the journals.

    The calls that take rows are routes of Starlette: bodies are parsed and checked here, and a
    route of FastAPI costs a third more of the processor (measured, decision on durable answers).
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        collector.recovered = collector.journals.recover()
        collector.commits.start()
        yield
        await collector.commits.stop()

    app = FastAPI(
        title="Shoal collector", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None
    )
    for kind, paths in CALLS.items():
        for path in paths:
            app.router.routes.append(Route(path, _single(collector, kind), methods=["POST"]))
    for path in BATCHES:
        app.router.routes.append(Route(path, collector.batch, methods=["POST"]))
    for entity in ENTITIES:
        route = Route(f"/v1/{entity}", _rows(collector, entity), methods=["POST"])
        app.router.routes.append(route)
    app.add_api_route("/health", collector.health, methods=["GET"])
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["POST"],
            allow_headers=["*"],  # libraries add their own, and there is nothing here to read
            max_age=86_400,
        )
    return app


def _single(collector: Collector, kind: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await collector.single(request, kind)

    return endpoint


def _rows(collector: Collector, entity: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await collector.rows(request, entity)

    return endpoint


def _json(status: int, content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, status, headers, media_type="application/json")


def _failure(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return _json(status, orjson.dumps({"success": False, "reason": reason}), headers)
