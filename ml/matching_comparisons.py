"""What is compared of two profiles, and how likely each outcome is where it cannot be learnt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """One outcome of a comparison.

    Attributes
    ----------
    condition
        SQL over ``<column>_l`` and ``<column>_r``; the last level of a comparison is ``ELSE``.
    m, u, home
        Probability of the outcome for a pair of one person, of two people at random, and of two
        people of one household. The documented m and u are used where none can be learnt.
    term
        Column whose frequent values count for less.
    needs
        Columns without which the outcome cannot be.
    anchor
        The outcome is about more than names, which derived mail addresses and namesakes share.
    """

    condition: str
    m: float
    u: float
    home: float
    term: str | None = None
    needs: tuple[str, ...] = ()
    anchor: bool = False


@dataclass(frozen=True)
class Compared:
    """A comparison: its columns and its levels, strongest first."""

    name: str
    columns: tuple[str, ...]
    levels: tuple[Level, ...]


def _near(column: str, similarity: float, other: str | None = None) -> str:
    return f"jaro_winkler_similarity({column}_l, {other or column}_r) >= {similarity}"


def _edits(column: str, edits: int) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {edits}"


SWAPPED = f"{_near('given_name', 0.88, 'surname')} and {_near('surname', 0.88, 'given_name')}"
NEAR_STREET = _near("street", 0.92)
SAME_HOUSE = "coalesce(house_l = house_r, true)"
NEAR_CITY = _near("city", 0.90)
SHORT_FORM = (
    "length(given_name_l) >= 3 and length(given_name_r) >= 3 and "
    "(starts_with(given_name_l, given_name_r) or starts_with(given_name_r, given_name_l))"
)
MAILBOX = "split_part(email_l, '@', 1) = split_part(email_r, '@', 1)"

COMPARISONS = (
    Compared(
        "given_name",
        ("given_name",),
        (
            Level("given_name_l = given_name_r", 0.80, 0.01, 0.006, "given_name"),
            Level(SWAPPED, 0.02, 0.0002, 0.001, needs=("surname",)),
            Level(f"{_near('given_name', 0.92)} or ({SHORT_FORM})", 0.08, 0.005, 0.01),
            Level(_near("given_name", 0.80), 0.04, 0.03, 0.04),
            Level("ELSE", 0.06, 0.955, 0.943),
        ),
    ),
    Compared(
        "surname",
        ("surname",),
        (
            Level("surname_l = surname_r", 0.80, 0.003, 0.80, "surname"),
            Level(SWAPPED, 0.02, 0.0002, 0.001, needs=("given_name",)),
            Level(_near("surname", 0.92), 0.08, 0.003, 0.02),
            Level(_near("surname", 0.80), 0.03, 0.03, 0.02),
            Level("ELSE", 0.07, 0.964, 0.159),
        ),
    ),
    Compared(
        "birth_date",
        ("birth_date",),
        (
            Level("birth_date_l = birth_date_r", 0.85, 0.0001, 0.02, "birth_date", anchor=True),
            Level(_edits("birth_date", 1), 0.09, 0.002, 0.01, anchor=True),
            Level(
                "left(birth_date_l, 4) = left(birth_date_r, 4) "
                "or right(birth_date_l, 4) = right(birth_date_r, 4)",
                *(0.03, 0.02, 0.08),
                anchor=True,
            ),
            Level("ELSE", 0.03, 0.978, 0.89),
        ),
    ),
    # one comparison, since the parts of an address say the same thing twice
    Compared(
        "address",
        ("street", "postcode", "city"),
        (
            Level(
                f"{NEAR_STREET} and {SAME_HOUSE} and (postcode_l = postcode_r or {NEAR_CITY})",
                *(0.60, 0.00005, 0.90),
                needs=("street",),
                anchor=True,
            ),
            Level(NEAR_STREET, 0.05, 0.0005, 0.05, needs=("street",), anchor=True),
            Level(
                "damerau_levenshtein(street_l, street_r) <= 0.4 * "
                "least(length(street_l), length(street_r)) "
                f"and ({_edits('postcode', 1)} or {NEAR_CITY})",
                *(0.03, 0.0001, 0.02),
                needs=("street",),
                anchor=True,
            ),
            Level(
                f"postcode_l = postcode_r and {NEAR_CITY}",
                *(0.05, 0.001, 0.01),
                needs=("postcode", "city"),
                anchor=True,
            ),
            Level("postcode_l = postcode_r", 0.05, 0.002, 0.005, needs=("postcode",), anchor=True),
            Level("city_l = city_r", 0.07, 0.02, 0.005, "city", needs=("city",)),
            Level("ELSE", 0.15, 0.976, 0.01),
        ),
    ),
    Compared(
        "email",
        ("email",),
        (
            Level("email_l = email_r", 0.60, 0.00001, 0.05, anchor=True),
            Level(f"{MAILBOX} and length(split_part(email_l, '@', 1)) >= 5", 0.05, 0.0002, 0.005),
            # the first letter, because comparing all of every random pair takes seconds
            Level(
                "length(email_l) >= 8 and left(email_l, 1) = left(email_r, 1) "
                f"and {_edits('email', 2)}",
                *(0.05, 0.0005, 0.01),
            ),
            Level("ELSE", 0.30, 0.9988, 0.925),
        ),
    ),
    Compared(
        "phone",
        ("phone",),
        (
            Level("phone_l = phone_r", 0.60, 0.00001, 0.50, anchor=True),
            Level(
                f"length(phone_l) >= 8 and {_edits('phone', 1)}", 0.05, 0.00002, 0.005, anchor=True
            ),
            Level("ELSE", 0.35, 0.99997, 0.495),
        ),
    ),
    Compared(
        "country",
        ("country",),
        (
            Level("country_l = country_r", 0.98, 0.6, 0.995),
            Level("ELSE", 0.02, 0.4, 0.005),
        ),
    ),
)


def identifier_comparison(column: str) -> Compared:
    """The comparison of an extra exact identifier, such as a social security number."""
    return Compared(
        column,
        (column,),
        (
            Level(f"{column}_l = {column}_r", 0.90, 0.00001, 0.00005, anchor=True),
            Level(
                f"length({column}_l) >= 6 and {_edits(column, 1)}",
                0.05,
                0.00005,
                0.001,
                anchor=True,
            ),
            Level("ELSE", 0.05, 0.99994, 0.99895),
        ),
    )


def documented(one: Compared) -> list[tuple[float, float]]:
    """The documented m and u of the levels that can occur, each summing to one."""
    total_m, total_u = (sum(getattr(level, name) for level in one.levels) for name in "mu")
    return [(level.m / total_m, level.u / total_u) for level in one.levels]
