"""Columns that a mapping or the collector adds to canonical ones, for ingestion alone."""

ROW, SOURCE, ERRORS, RECEIVED = "_row", "_source", "_errors", "_received_at"
RESERVED = {ROW: "BIGINT", SOURCE: "VARCHAR", ERRORS: "VARCHAR[]", RECEIVED: "VARCHAR"}
"""Name -> DuckDB type; a column of another type is a column like any other."""
