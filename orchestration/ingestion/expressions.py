"""The SQL expressions of YAML files: parsed when they load, without running anything."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from orchestration.ingestion.sql import first_line, identifier

SOURCE_ROW = "source_row"
VOLATILE = frozenset(
    {
        *("random", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "currval"),
        *("now", "today", "current_timestamp", "current_date", "current_time", "getenv"),
        *("get_current_timestamp", "get_current_time", "transaction_timestamp"),
        *("current_localtime", "current_localtimestamp"),
    }
)


class ExpressionError(ValueError):
    """An expression that a YAML file may not hold, with the reason."""


@dataclass(frozen=True)
class Expression:
    """One DuckDB expression over the columns of a file or table.

    Attributes
    ----------
    columns
        The columns it names: each a path, such as ``("campaign", "start_date")``.
    windowed
        Whether it looks at other rows, with ``over (…)``.
    """

    text: str
    columns: tuple[tuple[str, ...], ...]
    windowed: bool


def parse_expression(text: str) -> Expression:
    """Parse one expression.

    Raises
    ------
    ExpressionError
        When it does not parse, is more than one expression, has a subquery, an aggregate without
        ``over``, or a function whose value differs from run to run.
    """
    tree = _tree(f"select {text}")
    _tree(f"select (\n{text}\n)")
    statements = tree["statements"]
    node = statements[0]["node"]
    if len(statements) != 1 or node["type"] != "SELECT_NODE":
        raise ExpressionError("more than one statement; give one expression")
    if len(node["select_list"]) != 1:
        raise ExpressionError("more than one expression; give one")
    clauses = (node["where_clause"], node["having"], node["qualify"], node["sample"])
    plain = node["from_table"]["type"] == "EMPTY" and not any(clauses) and not node["modifiers"]
    if not plain or node["group_expressions"] or node["cte_map"]["map"]:
        raise ExpressionError("a whole query; give one expression over the columns of a row")
    expression = node["select_list"][0]
    if expression["alias"]:
        raise ExpressionError(f'leave out the name after "as" ({expression["alias"]})')
    nodes = list(_walk(expression))
    _check(nodes)
    if _order_row_numbers(nodes):
        text, nodes = _written(tree), list(_walk(expression))
    bound = {name for item in nodes for name in _lambda_parameters(item)}
    columns = tuple(
        dict.fromkeys(
            tuple(item["column_names"])
            for item in nodes
            if item.get("class") == "COLUMN_REF" and item["column_names"][0] not in bound
        )
    )
    return Expression(text, columns, any(item.get("class") == "WINDOW" for item in nodes))


def bound_type(text: str, columns: Mapping[str, str]) -> str:
    """The DuckDB type of a parsed expression over columns of given types.

    Raises
    ------
    ExpressionError
        When functions or operators do not take these types.
    """
    row = ", ".join(
        f"cast(null as {type_}) as {identifier(name)}" for name, type_ in columns.items()
    )
    query = f"describe select (\n{text}\n) as value from (select {row or '0 as nothing'})"
    with _parser().cursor() as connection:
        try:
            found = connection.execute(query).fetchone()
        except duckdb.Error as error:
            raise ExpressionError(first_line(error)) from None
    assert found is not None
    return str(found[1])


def _order_row_numbers(nodes: list[dict[str, Any]]) -> bool:
    """Make every ``row_number()`` without an order count in the order of the file."""
    unordered = [
        node for node in nodes if node.get("type") == "WINDOW_ROW_NUMBER" and not node["orders"]
    ]
    for node in unordered:
        row: dict[str, Any] = {"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": ""}
        row |= {"query_location": 0, "column_names": [SOURCE_ROW]}
        order = {"type": "ORDER_DEFAULT", "null_order": "ORDER_DEFAULT", "expression": row}
        node["orders"].append(order)
    return bool(unordered)


def _written(tree: dict[str, Any]) -> str:
    """A syntax tree of one expression as text again."""
    with _parser().cursor() as connection:
        written = connection.execute(
            "select json_deserialize_sql($1::json)", [json.dumps(tree)]
        ).fetchone()
    assert written is not None
    return str(written[0]).removeprefix("SELECT ")


def _check(nodes: list[dict[str, Any]]) -> None:
    for node in nodes:
        kind, name = node.get("class"), str(node.get("function_name", "")).lower()
        if kind == "SUBQUERY":
            raise ExpressionError("a subquery is not allowed; name columns only")
        if kind == "STAR":
            raise ExpressionError("* is not an expression over one row")
        if kind == "PARAMETER":
            raise ExpressionError("a parameter (?, $1) has no value here")
        if kind == "FUNCTION" and name in VOLATILE:
            raise ExpressionError(
                f"{name}() differs from run to run; results have to be repeatable"
            )
        if kind == "FUNCTION" and name in _aggregates():
            raise ExpressionError(f"{name}() spans many rows; add over (…)")


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@lru_cache(maxsize=1)
def _aggregates() -> frozenset[str]:
    with _parser().cursor() as connection:
        rows = connection.execute(
            "select function_name from duckdb_functions() where function_type = 'aggregate' "
            "except select function_name from duckdb_functions() where function_type = 'scalar'"
        ).fetchall()
    return frozenset(name for (name,) in rows)


def _tree(query: str) -> dict[str, Any]:
    with _parser().cursor() as connection:
        row = connection.execute("select json_serialize_sql($1::varchar)", [query]).fetchone()
    assert row is not None
    tree: dict[str, Any] = json.loads(row[0])
    if tree["error"]:
        raise ExpressionError(f"does not parse: {tree['error_message'].splitlines()[0]}")
    if not tree["statements"]:
        raise ExpressionError("is empty")
    return tree


def _lambda_parameters(node: dict[str, Any]) -> list[str]:
    if node.get("class") != "LAMBDA":
        return []
    return [
        item["column_names"][0] for item in _walk(node["lhs"]) if item.get("class") == "COLUMN_REF"
    ]


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a syntax tree."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child)
