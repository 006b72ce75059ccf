"""SQL that turns a value of a file into the type of its canonical column.

Texts are trimmed and blank ones are null; instants with an offset become UTC. What cannot be
converted becomes null, which `validation` tells apart from what was null before.
"""

from orchestration.ingestion.entities import Column
from orchestration.ingestion.sources import TEXT

SPACES = " \t\r\n\v\f\u00a0\u2007\u202f\ufeff"
TRUE, FALSE = "('true', '1', 'yes')", "('false', '0', 'no')"
INSTANTS = ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S", "DATE")
ZONED = "TIMESTAMP WITH TIME ZONE"
FLOATS = ("DOUBLE", "FLOAT")
INTEGERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


def text_of(value: str, type_: str) -> str:
    """SQL for any value as text, the way a person would write it."""
    if type_ == TEXT:
        return _trimmed(value)
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")):
        text = f"cast(to_json({value}) as varchar)"
    elif type_ == "BLOB":
        text = f"coalesce(try(decode({value})), cast({value} as varchar))"
    elif type_ in FLOATS:
        text = (
            f"case when {value} = trunc({value}) and abs({value}) < 1e15 "
            f"then cast(try_cast({value} as bigint) as varchar) else cast({value} as varchar) end"
        )
    else:
        return f"cast({value} as varchar)"
    return f"nullif(trim({text}), '')"


def _trimmed(text: str) -> str:
    """SQL for a text without spaces around it, null when nothing is left.

    Taking every space of Unicode off is slow (0.8 s for a million texts, measured), so it is done
    only where a text begins or ends with something else than a visible ASCII character.
    """
    begins, ends = f"{text}[1] between '!' and '~'", f"{text}[-1] between '!' and '~'"
    return (
        f"case when {begins} and {ends} then {text} else nullif(trim({text}, '{SPACES}'), '') end"
    )


def is_textual(column: Column, type_: str) -> bool:
    """Whether a value of this type becomes the column's type by way of text."""
    match column.type:
        case "timestamp" | "date":
            return type_ not in (*INSTANTS, ZONED)
        case "double":
            return not _is_numeric(type_)
        case "bigint":
            return type_ not in INTEGERS
        case "boolean":
            return type_ != "BOOLEAN"
        case _:
            return True


def converted(column: Column, value: str, text: str, type_: str) -> str:
    """SQL for a value as the type of its column, null when that is impossible.

    Parameters
    ----------
    value, text
        SQL of the value as the file has it, and of the same as text.
    type_
        DuckDB type of ``value``.
    """
    match column.type:
        case "timestamp":
            return _instant(value, text, type_)
        case "date":
            return f"try_cast({_instant(value, text, type_)} as date)"
        case "double":
            return f"try_cast({value if _is_numeric(type_) else text} as double)"
        case "bigint":
            if type_ in INTEGERS:
                return f"try_cast({value} as bigint)"
            whole = f"try_cast({text} as bigint) = try_cast({text} as double)"
            return f"case when {whole} then try_cast({text} as bigint) end"
        case "boolean":
            if type_ == "BOOLEAN":
                return value
            word = f"lower({text})"
            return f"case when {word} in {TRUE} then true when {word} in {FALSE} then false end"
        case _:
            return f"lower({text})" if column.values else text


def _is_numeric(type_: str) -> bool:
    return type_ in (*FLOATS, *INTEGERS) or type_.startswith("DECIMAL")


def _instant(value: str, text: str, type_: str) -> str:
    if type_ in INSTANTS:
        return f"try_cast({value} as timestamp)"
    if type_ == ZONED:
        return f"make_timestamp(epoch_us({value}))"
    offset = f"(contains({text}, '+') or contains(substr({text}, 12), '-'))"
    zoned = f"make_timestamp(epoch_us(try_cast({text} as timestamp with time zone)))"
    return f"case when {offset} then {zoned} else try_cast({text} as timestamp) end"
