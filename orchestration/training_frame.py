"""Labelled rows that a task learns from, out of the lake."""

from contextlib import ExitStack

import pandas as pd

from ml.tasks import EVENT_TASKS
from orchestration.event_frames import read_event_frame
from orchestration.lake import Lake, current_snapshot, require_snapshot


def read_training_frame(
    lake: Lake,
    task: str,
    snapshot: int | None = None,
    *,
    most_rows: int | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, int | None, int]:
    """Labelled features of one task, at the live edge or at a snapshot of the lake.

    Of a task about events there is a row per event, see `read_event_frame`.

    Parameters
    ----------
    snapshot : int, optional
        Default: the live edge.
    most_rows : int, optional
        Above it customers are drawn, each with all rows or none. They are taken in an order that
        the seed gives, so the same cap, or the number of rows that it left, draws the same ones.
    seed : int
        Of the draw.

    Returns
    -------
    frame : DataFrame
        ``customer_key``, ``as_of``, ``label`` and every feature.
    horizon_days : int or None
        None when there are no rows.
    snapshot : int
        The lake snapshot that was read.

    Raises
    ------
    SnapshotGone
        The snapshot named has been expired.
    NotEnoughHistory
        The source has no such events, or too few.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(lake.reader(latest=True))
        if snapshot is None:
            snapshot = current_snapshot(connection)
        stack.enter_context(lake.holding(snapshot))
        require_snapshot(connection, snapshot)
        if task in EVENT_TASKS:
            frame, horizon_days = read_event_frame(connection, EVENT_TASKS[task], snapshot)
            return frame, horizon_days, snapshot
        frame = connection.execute(
            f"""
            with labels as (
                select *
                from marts.customer_labels at (version => {snapshot:d})
                where task = $task
            ),
            customers as (
                select
                    customer_key,
                    sum(count(*)) over (
                        order by md5(concat(customer_key, ':', $seed)), customer_key
                        rows unbounded preceding
                    ) as rows_so_far
                from labels
                group by customer_key
            ),
            drawn as (
                select customer_key
                from customers
                where $most_rows is null or rows_so_far <= $most_rows
            )
            select features.*, labels.label, labels.horizon_days
            from labels
            semi join drawn on labels.customer_key = drawn.customer_key
            inner join marts.customer_feature_history as features at (version => {snapshot:d})
                on
                    labels.customer_key = features.customer_key
                    and labels.as_of = features.as_of
            order by labels.as_of, labels.customer_key
            """,
            {"task": task, "most_rows": most_rows, "seed": seed},
        ).df()
    horizons = frame.pop("horizon_days")
    return frame, None if frame.empty else int(horizons.iloc[0]), snapshot
