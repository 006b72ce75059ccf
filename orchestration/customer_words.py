"""How shares, amounts and instants are written on a customer's page."""

from datetime import date, datetime


def share_below(share: float | None, whom: str) -> str:
    """How many of all lie below, in words; empty where it is not known."""
    return "" if share is None else f"{share:.0%} of {whom}"


def percent(share: float | None) -> str:
    """A share as a percentage, small ones with a decimal; empty where there is none."""
    if share is None:
        return ""
    return f"{share:.1%}" if 0 < share < 0.0995 else f"{share:.0%}"


def money(amount: float | None, currency: str) -> str:
    """An amount with its currency; empty where there is none."""
    return "" if amount is None else f"{amount:,.2f} {currency}".rstrip()


def plain(value: object) -> str:
    """A value of a profile, in words."""
    if value is None:
        return "not known"
    return when(value) if isinstance(value, date) else str(value)


def when(instant: date) -> str:
    """An instant to the minute, or a day."""
    return f"{instant:%Y-%m-%d %H:%M}" if isinstance(instant, datetime) else f"{instant:%Y-%m-%d}"
