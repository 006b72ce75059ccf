"""Printing the result of a query, for people and for programs."""

import csv
import json
import shutil
import sys

import duckdb


def print_result(connection: duckdb.DuckDBPyConnection, query: str, output: str, rows: int) -> None:
    """Run one statement and print what it gives as a table, CSV or JSON."""
    relation = connection.sql(query)
    if relation is None:
        return  # a statement without a result, such as SET
    if output == "table":
        width = shutil.get_terminal_size((160, 40)).columns
        relation.show(max_rows=rows, max_width=width)
    elif output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(relation.columns)
        while batch := relation.fetchmany(10_000):
            writer.writerows(batch)
    else:
        names = relation.columns
        found = [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
        json.dump(found, sys.stdout, default=str, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
