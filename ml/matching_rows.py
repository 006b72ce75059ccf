"""Profiles made comparable: clean text, and keys under which candidate pairs are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

TEXTS = ("given_name", "surname", "full_name", "birth_date", "street", "city", "postcode")
CONTACTS = ("country", "email", "phone")
LONGEST = 200
"""Characters of a value that are compared."""
LARGE = 200_000
"""Above this many profiles only small blocks are compared."""
BLOCK, STRICT_BLOCK = 100, 20
"""Most profiles that share a block; a larger block is left to the narrower keys."""

_SOUND = "translate(regexp_replace({0}, '[aeiouyhw ]', '', 'g'), 'bfpvcgjkqsxzdtlmnr', {1})"
_CLASSES = "'111122222222334556'"
_CLEAN = {
    "name": "trim(regexp_replace({0}, '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))",
    "digits": "regexp_replace({0}, '[^0-9]', '', 'g')",
    "joined": "regexp_replace({0}, '[^\\p{{L}}\\p{{N}}]+', '', 'g')",
    "email": "regexp_replace({0}, '\\s', '', 'g')",
}
_BLOCKS = {
    "block_name": "least(given_name, surname) || ' ' || greatest(given_name, surname)",
    "block_name_city": (
        "least(given_name, surname) || ' ' || greatest(given_name, surname) || ' ' || city"
    ),
    "block_name_birth": (
        "least(given_name, surname) || ' ' || greatest(given_name, surname) || ' ' || birth_date"
    ),
    "block_birth": "birth_date",
    "block_birth_surname": "birth_date || left(surname, 2)",
    "block_surname_year": "surname_sound || left(birth_date, 4)",
    "block_given_year": "given_sound || ' ' || left(birth_date, 4) || ' ' || city",
    "block_given_month": "left(given_name, 3) || left(birth_date, 6)",
    "block_sounds": "given_sound || ' ' || surname_sound",
    "block_postcode_given": "postcode || left(given_name, 3)",
    "block_postcode_surname": "postcode || surname_sound",
    "block_street": "street || ' ' || coalesce(postcode, city)",
    "block_street_name": "left(street, 8) || ' ' || left(coalesce(given_name, surname), 3)",
    "block_surname_city": "left(surname, 4) || ' ' || city",
    "block_surname_days": "left(surname, 3) || right(birth_date, 4)",
    "block_email": "email",
    "block_mailbox": "split_part(email, '@', 1)",
    "block_phone": "phone",
}


def prepare(
    connection: duckdb.DuckDBPyConnection,
    profiles: pd.DataFrame,
    key: str,
    identifiers: Sequence[str],
) -> tuple[pd.Series, list[str], list[str]]:
    """Fill the table ``profiles`` of a connection with one comparable row per profile.

    Parameters
    ----------
    connection
        An in-memory database.
    profiles : DataFrame, shape (n_profiles, n_columns)
    key
        Column that names a profile; it has to be unique.
    identifiers
        Columns of which an equal value nearly settles the question.

    Returns
    -------
    keys : Series, shape (n_profiles,)
        Sorted; the position of a key is the ``unique_id`` of its row, so that the order of the
        input changes nothing.
    blocks : list of str
        Columns of the table that hold a block key, only those with a pair to compare.
    extra : list of str
        What the columns of ``identifiers`` are called in the table, in their order.

    Raises
    ------
    ValueError
        A profile without a key, or a key that is not unique.
    """
    keys = profiles[key].astype("string")
    if keys.isna().any() or keys.duplicated().any():
        raise ValueError(f"the column {key} has to name each profile once")
    texts = pd.DataFrame({"source_key": keys})
    for name in (*TEXTS, *CONTACTS):
        texts[name] = _text(profiles, name)
    extra = {name: f"identifier_{number}" for number, name in enumerate(identifiers)}
    for name, alias in extra.items():
        texts[alias] = _text(profiles, name)
    texts = texts.sort_values("source_key", ignore_index=True)
    texts["unique_id"] = range(len(texts))
    connection.register("given_rows", texts)
    connection.execute(_cleaning(list(extra.values())))
    connection.unregister("given_rows")
    limit = BLOCK if len(texts) <= LARGE else STRICT_BLOCK
    blocks = {**_BLOCKS, **{f"block_{alias}": alias for alias in extra.values()}}
    return texts["source_key"], _block(connection, blocks, limit), list(extra.values())


def _text(profiles: pd.DataFrame, name: str) -> pd.Series:
    """A column as text of bounded length, or nulls where there is none."""
    if name not in profiles.columns:
        return pd.Series(pd.NA, index=profiles.index, dtype="string")
    values = profiles[name]
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.astype("Float64").map(lambda number: f"{number:.15g}", na_action="ignore")
    texts = values.astype("string").str.slice(0, LONGEST)
    if not texts.map(_is_text, na_action="ignore").all():
        texts = texts.str.encode("utf-8", "replace").str.decode("utf-8")
    return texts


def _is_text(value: str) -> bool:
    """Whether a text can be written in UTF-8: half of a surrogate pair cannot."""
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def _cleaning(identifiers: Sequence[str]) -> str:
    """SQL that makes the table of comparable rows out of the given texts."""

    def clean(name: str, how: str) -> str:
        folded = f"strip_accents(lower(nfc_normalize({name})))"
        return f"nullif({_CLEAN[how].format(folded)}, '')"

    def sound(name: str) -> str:
        code = _SOUND.format(f"{name}[2:]", _CLASSES)
        return f"{name}[1] || left({code}, 3)"

    whole = clean("full_name", "name")
    given = clean("given_name", "name")
    surname = clean("surname", "name")
    # "surname, given" is the other way round
    first = f"split_part({whole}, ' ', 1)"
    last = f"nullif(list_last(string_split({whole}, ' ')), '')"
    reversed_ = "coalesce(contains(full_name, ','), false)"
    single = f"not contains({whole}, ' ')"
    after = clean("split_part(full_name, ',', 2)", "name")
    before = clean("split_part(full_name, ',', 1)", "name")
    split_given = (
        f"case when {reversed_} then split_part({after}, ' ', 1) "
        f"when {single} then null else {first} end"
    )
    split_surname = f"case when {reversed_} then {before} else {last} end"
    date = f"left({clean('left(birth_date, 10)', 'digits')}, 8)"
    extra = "".join(f", {clean(name, 'joined')} as {name}" for name in identifiers)
    return f"""
        create or replace table cleaned as
        with named as (
            select
                unique_id,
                coalesce({given}, {split_given}) as given_name,
                coalesce({surname}, {split_surname}) as surname,
                case when length({date}) = 8 then {date} end as birth_date,
                {clean("street", "name")} as street,
                {clean("city", "name")} as city,
                {clean("postcode", "joined")} as postcode,
                {clean("country", "joined")} as country,
                {clean("email", "email")} as email,
                {clean("phone", "digits")} as phone
                {extra}
            from given_rows
        )
        select
            *,
            nullif(regexp_extract(street, '[0-9]+'), '') as house,
            {sound("given_name")} as given_sound,
            {sound("surname")} as surname_sound
        from named
        order by unique_id
    """


def _block(connection: duckdb.DuckDBPyConnection, blocks: dict[str, str], limit: int) -> list[str]:
    """Add the block keys that at least two and at most ``limit`` profiles share."""
    columns = ", ".join(
        f"case when count(*) over (partition by {value}) between 2 and {limit} "
        f"then {value} end as {name}"
        for name, value in blocks.items()
    )
    connection.execute(
        f"create or replace table profiles as select *, {columns} from cleaned order by unique_id"
    )
    counts = ", ".join(f"count({name})" for name in blocks)
    row = connection.execute(f"select {counts} from profiles").fetchone()
    assert row is not None
    return [name for name, count in zip(blocks, row, strict=True) if count]
