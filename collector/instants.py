"""Instants of messages: ISO 8601 in, UTC out, clocks of devices put right."""

from datetime import UTC, date, datetime, timedelta

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_DATE = date(1900, 1, 1)
LATEST_AFTER_ARRIVAL = timedelta(days=1)
SKEW_STEP_SECONDS = 10.0


def parse(value: object) -> datetime | None:
    """Read an instant, None where the value is none; without an offset it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value.strip())
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def parse_date(value: object) -> date | None:
    """Read a date, or the UTC date of an instant; None where the value is neither."""
    instant = parse(value)
    return None if instant is None else instant.date()


def text(instant: datetime) -> str:
    """Write an instant as the raw tables read it: UTC without a zone."""
    return instant.replace(tzinfo=None).isoformat()


def is_in_time(instant: datetime, received: datetime) -> bool:
    """Whether raw takes an instant that arrives now: 1970 to one day after arrival."""
    return EARLIEST <= instant <= received + LATEST_AFTER_ARRIVAL


def clock_skew(sent: datetime, received: datetime) -> timedelta:
    """How far the sender's clock is behind ours, in whole steps of 10 s.

    The spec of Segment takes the whole difference, transport included. In steps a clock that is
    right is left alone, and a second attempt at the same message gets the same time as the first.
    """
    steps = round((received - sent).total_seconds() / SKEW_STEP_SECONDS)
    return timedelta(seconds=steps * SKEW_STEP_SECONDS)


def corrected(instant: datetime, skew: timedelta) -> datetime | None:
    """Move an instant by a skew; None where that leaves the calendar."""
    try:
        return instant + skew
    except OverflowError:
        return None
