"""The same seed gives the same files, however the work is cut."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated_market import ARRIVED

from simulation import MarketConfig, simulate
from simulation.market import market_chunks

SMALL = MarketConfig(customers=400, events=12_000, seed=3, days=200)


def _files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.parquet")}


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for run in ("one", "two"):
        simulate(SMALL, tmp_path / run / "landing", tmp_path / run / "truth", ARRIVED)
    assert _files(tmp_path / "one") == _files(tmp_path / "two")


def test_another_seed_gives_another_market(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path / "one", tmp_path / "truth", ARRIVED)
    simulate(replace(SMALL, seed=4), tmp_path / "two", tmp_path / "truth", ARRIVED)
    one, two = (pq.read_table(tmp_path / run / "events") for run in ("one", "two"))
    assert not set(one["event_id"].to_pylist()) & set(two["event_id"].to_pylist())


@pytest.mark.parametrize("table", ["events", "orders", "order_lines", "customers", "feedback"])
def test_rows_do_not_depend_on_chunks(table: str) -> None:
    whole, cut = (_rows(replace(SMALL, customers_per_chunk=size), table) for size in (400, 37))
    assert whole.equals(cut)


def _rows(config: MarketConfig, table: str) -> pa.Table:
    parts = [canonical[table] for canonical, _ in market_chunks(config) if table in canonical]
    rows = pa.concat_tables(parts)
    return rows.sort_by([(name, "ascending") for name in rows.column_names]).combine_chunks()


def test_chunks_stay_small_as_markets_grow() -> None:
    for customers, events in ((1_000_000, 50_000_000), (20_000, 10_000_000), (1_000_000, 10**6)):
        config = MarketConfig(customers=customers, events=events)
        assert config.chunk * events / customers <= 120_000 + events / customers
        assert config.chunk <= 10_000


def test_no_chunk_holds_much_more_than_its_share() -> None:
    config = replace(SMALL, customers_per_chunk=50)
    sizes = [canonical["events"].num_rows for canonical, _ in market_chunks(config)]
    assert max(sizes) < 6 * 50 * config.events / config.customers


@pytest.mark.parametrize("wrong", [{"customers": 10}, {"events": 50}, {"days": 3}, {"seed": -1}])
def test_impossible_sizes_are_refused_by_name(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(SMALL, **wrong)  # type: ignore[arg-type]
