"""Who carries batches through: one at a time, and a run lets the live worker in between."""

import threading
import time

import dagster as dg
import pytest

from orchestration.defs.jobs import give_way
from orchestration.lake import CARRIES, Lake
from orchestration.settings import Settings
from orchestration.turn import LeaseTimeout


@pytest.mark.parametrize("kind", ["turn", "lease"])
def test_whoever_waits_is_next(lake: Lake, kind: str) -> None:
    """Who takes it again and again, for batches or for tables, lets others in after one."""
    take = getattr(lake, kind)
    order: list[str] = []
    waiting = threading.Event()

    def other() -> None:
        waiting.set()
        with take("the other"):
            order.append("other")

    thread = threading.Thread(target=other)
    with take("0"):
        thread.start()
        waiting.wait()
        time.sleep(0.3)
        order.append("0")
    for number in range(1, 4):
        with take(str(number)):
            order.append(str(number))
    thread.join()
    assert order == ["0", "other", "1", "2", "3"]


def test_a_turn_that_is_not_given_says_so(values: Settings, lake: Lake) -> None:
    hasty = Lake.from_settings(values.model_copy(update={"lease_timeout_seconds": 0.2}))
    with (
        lake.turn("long run"),
        pytest.raises(LeaseTimeout, match="gave up on: short"),
        hasty.turn("short"),
    ):
        pass


@pytest.mark.parametrize("carries", [True, False])
def test_a_run_has_the_turn_within_its_steps_and_not_between_them(
    lake: Lake, carries: bool
) -> None:
    """Only where it looks at the live edge or writes, and only a run that carries batches."""
    seen: dict[str, bool] = {}

    @dg.op(required_resource_keys={"lake"})
    def first(context: dg.OpExecutionContext) -> None:
        own: Lake = context.resources.lake
        seen["before the first look"] = own.is_carried()
        with own.reader(latest=True):
            pass
        seen["after a look"] = own.is_carried()
        own.give_way()
        seen["after giving way"] = own.is_carried()
        with own.writer("first"):
            seen["writing"] = own.is_carried()
        seen["after writing"] = own.is_carried()

    @dg.op(required_resource_keys={"lake"}, ins={"after": dg.In(dg.Nothing)})
    def second(context: dg.OpExecutionContext) -> None:
        own: Lake = context.resources.lake
        seen["between two steps"] = own.is_carried()
        with own.writer("second"):
            seen["writing again"] = own.is_carried()
        own.end_turn()
        with own.writer("the last"):
            seen["after the end"] = own.is_carried()

    @dg.job(
        resource_defs={"lake": lake},
        executor_def=dg.in_process_executor,
        tags={CARRIES: "batch"} if carries else {},
        hooks={give_way},
    )
    def run() -> None:
        second(first())

    assert run.execute_in_process().success
    held = {"after a look", "writing", "after writing", "writing again"} if carries else set()
    assert {moment for moment, carried in seen.items() if carried} == held
    assert not lake.is_carried()


def test_a_run_that_fails_gives_the_turn_back(lake: Lake) -> None:
    @dg.op(required_resource_keys={"lake"})
    def fails(context: dg.OpExecutionContext) -> None:
        with context.resources.lake.writer("fails"):
            raise ZeroDivisionError

    @dg.job(
        resource_defs={"lake": lake},
        executor_def=dg.in_process_executor,
        tags={CARRIES: "batch"},
    )
    def run() -> None:
        fails()

    assert not run.execute_in_process(raise_on_error=False).success
    assert not lake.is_carried()


def test_every_job_that_carries_gives_way_between_its_steps() -> None:
    from orchestration.definitions import defs

    jobs = defs().resolve_all_job_defs()
    carrying = {job.name for job in jobs if CARRIES in job.tags}
    assert {"main_job", "batch_job", "daily_job", "training_job", "rebuild_job"} == carrying
    assert carrying == {job.name for job in jobs if give_way in job.hook_defs}
