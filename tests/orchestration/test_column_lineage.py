"""Columns are traced to the columns that they come from."""

from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.column_lineage import lineage_metadata, trace

COLUMNS = {
    ("staging", "stg_lines"): {"order_ref": "VARCHAR", "quantity": "DOUBLE", "price": "DOUBLE"},
    ("marts", "orders"): {"order_ref": "VARCHAR", "amount": "DOUBLE", "kind": "VARCHAR"},
}
QUERY = """
with lines as (select *, quantity * price as amount from "lake"."staging"."stg_lines")
select order_ref, sum(amount) as amount, 'order' as kind from lines group by 1
"""


def traced(tmp_path: Path) -> Any:
    (tmp_path / "orders.sql").write_text(QUERY)
    node = {
        "resource_type": "model",
        "name": "orders",
        "original_file_path": "orders.sql",
        "columns": {"order_ref": {}, "amount": {}, "kind": {}},
    }
    return trace({"nodes": {"model.orders": node}}, tmp_path, COLUMNS)


def test_a_computed_column_names_all_its_sources(tmp_path: Path) -> None:
    lines = ["staging", "stg_lines"]
    assert traced(tmp_path)["orders"] == {
        "order_ref": [(lines, "order_ref")],
        "amount": [(lines, "price"), (lines, "quantity")],
        "kind": [],
    }


def test_dagster_gets_the_lineage_of_a_model_that_was_traced(tmp_path: Path) -> None:
    lineage = traced(tmp_path)
    found = lineage_metadata(lineage, "orders")["dagster/column_lineage"]
    assert isinstance(found, dg.TableColumnLineage)
    assert [dep.column_name for dep in found.deps_by_column["amount"]] == ["price", "quantity"]
    assert lineage_metadata(lineage, "unknown") == {}
