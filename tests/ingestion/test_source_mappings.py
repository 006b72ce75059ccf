"""The mappings that come with the project, on a few invented rows and on the real files."""

from pathlib import Path

import duckdb
import pytest
from ingestion_room import NOW, Room

from orchestration.ingestion.land import land_source
from orchestration.ingestion.landing import scan

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
real = pytest.mark.skipif(not DATA.exists(), reason=f"no real data in {DATA}")


def landed(room: Room, mapping: str, *files: Path) -> dict[str, tuple[int, int, int]]:
    """Land and ingest; gives received, accepted and rejected rows of each entity."""
    land_source(mapping, files, ROOT / "sources", room.landing, NOW)
    landed_files, problems = scan(room.landing)
    assert problems == []
    room.used.update(file.entity for file in landed_files)
    room.ingest(*landed_files)
    return {
        entity: (received, accepted, rejected)
        for entity, received, accepted, rejected in room.rows(
            "select entity, sum(received)::int, sum(accepted)::int, sum(rejected)::int "
            "from ops.landed_files group by 1"
        )
    }


def table(path: Path, query: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{path}' (format parquet)")
    return path


RETAIL = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,85123A,HEART,6,12/1/2010 8:26,2.5,17850.0,UK
1,POST,POSTAGE,1,12/1/2010 8:26,18,17850.0,UK
1,22752,BOX,1,12/1/2010 8:26,7,17850.0,UK
C2,85123a,HEART,-1,12/2/2010 8:26,2.5,17850.0,UK
C2,D,Discount,-1,12/2/2010 8:26,27.5,17850.0,UK
3,22752,damaged,-5,12/3/2010 8:26,0,,UK
4,gift_0001_20,Voucher,1,12/3/2010 8:26,20,,UK
5,DCGSSGIRL,BAG,2,2010-12-04 10:00:00,3,,France
6,22752,BOX,many,12/5/2010 8:26,7,1,UK
"""


def test_online_retail(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "online_retail.csv"
    file.write_text(RETAIL)
    landed(room, "online_retail", file)
    assert room.rows(
        "select order_ref, status, customer_ref, cast(ordered_at as date)::varchar "
        "from raw.orders order by 1"
    ) == [
        ("1", "completed", "17850", "2010-12-01"),
        ("5", "completed", None, "2010-12-04"),
        ("C2", "returned", "17850", "2010-12-02"),
    ]
    assert room.rows("select * exclude (discount, batch_id, file_hash, row_number) "
                     "from raw.order_lines order by all") == [
        ("1", 1, "85123A", 6.0, 2.5),
        ("1", 3, "22752", 1.0, 7.0),
        ("5", 1, "DCGSSGIRL", 2.0, 3.0),
        ("C2", 1, "85123A", 1.0, 2.5),
    ]  # fmt: skip
    assert room.rows(
        "select event_type, count(*), sum(value), count(customer_ref) from raw.events "
        "group by 1 order by 1"
    ) == [("charge", 3, 10.5, 0), ("stock_adjustment", 1, 0.0, 0)]
    failed = room.rows("select entity, row_number from ops.rejected_rows order by entity")
    assert failed == [("events", 9), ("order_lines", 9), ("orders", 9), ("products", 9)]


def test_complete_journey(room: Room, tmp_path: Path) -> None:
    columns = "(household_id, store_id, basket_id, product_id, quantity, sales_value, coupon_disc)"
    files = [
        table(
            tmp_path / "transactions.parquet",
            "select *, timestamp '2017-01-01 12:00' transaction_timestamp from (values "
            "(1, 9, 100, 5, 2, 3.0, 0.5), (1, 9, 100, 4, 0, 0.0, 1.0), (1, 9, 100, 6, 0, 2.0, 0.0)"
            f") t{columns}",
        ),
        table(
            tmp_path / "products.parquet",
            "select 5 product_id, 2 manufacturer_id, 'GROCERY' department, 'Private' brand, "
            "null::varchar product_category, 'ICE' product_type, '22 LB' package_size",
        ),
        table(
            tmp_path / "demographics.parquet",
            "select 1 household_id, '45-54' age, 'x' income, 'x' home_ownership, "
            "'x' marital_status, '2' household_size, 'x' household_comp, '1' kids_count",
        ),
        table(tmp_path / "campaigns.parquet", "select 7 campaign_id, 1 household_id"),
        table(
            tmp_path / "campaign_descriptions.parquet",
            "select 7 campaign_id, 'Type A' campaign_type, timestamp_ns '2017-03-03' start_date",
        ),
        table(
            tmp_path / "coupon_redemptions.parquet",
            "select 1 household_id, 33 coupon_upc, 7 campaign_id, "
            "timestamp '2017-01-14' redemption_date",
        ),
    ]
    counts = landed(room, "complete_journey", *files)
    assert counts["orders"] == (1, 1, 0)
    assert room.rows(
        "select line_number, product_ref, quantity, unit_price, discount from raw.order_lines "
        "order by 1"
    ) == [(1, "4", 0.0, 0.0, 1.0), (2, "5", 2.0, 1.5, 0.5), (3, "6", 1.0, 2.0, 0.0)]
    assert room.rows(
        "select message_ref, customer_ref, variant, sent_at::varchar from raw.messages"
    ) == [("7-1", "1", "Type A", "2017-03-03 00:00:00")]
    assert room.rows("select event_id, event_type from raw.events") == [
        ("coupon-1-7-33-20170114", "coupon_redeemed")
    ]
    assert room.rows("select name, category, brand from raw.products") == [
        ("ICE, 22 LB", "GROCERY", "Private 2")
    ]
    assert room.rows("select attributes ->> '$.age' from raw.customers") == [("45-54",)]


def test_cdnow_tells_equal_purchases_apart(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "cdnow_master.csv"
    file.write_text(
        "customer_id,date,n_cds,amount\n1,19970101,2,30\n1,19970101,2,30\n2,19970102,1,0\n"
    )
    counts = landed(room, "cdnow", file)
    assert counts == {"orders": (3, 3, 0), "order_lines": (3, 3, 0)}
    assert room.rows("select unit_price from raw.order_lines order by 1") == [(0,), (15,), (15,)]


def test_taobao_with_and_without_a_header(room: Room, tmp_path: Path) -> None:
    rows = "1,10,5,pv,1511658000\n1,10,5,buy,1511658060\n1,10,5,pv,1511658000\n"
    (tmp_path / "UserBehavior.csv").write_text(rows)
    (tmp_path / "taobao.csv").write_text(f"user_id,item_id,category_id,behavior,ts\n{rows}")
    counts = landed(room, "taobao", tmp_path / "UserBehavior.csv", tmp_path / "taobao.csv")
    assert counts["events"] == (3, 2, 0), "both files give the same landing file"
    assert room.rows(
        "select event_type, occurred_at::varchar, product_ref from raw.events order by 2"
    ) == [
        ("product_view", "2017-11-26 01:00:00", "10"),
        ("order_completed", "2017-11-26 01:01:00", "10"),
    ]


def test_simple_shop(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "simple_shop.csv"
    file.write_text(
        "user_id,event,timestamp\n1,main,2019-11-01 17:59:13.27\n1,product1,2019-11-01 18:00:00\n"
        "1,payment_done,2019-11-01 18:01:00\n1,other,soon\n"
    )
    assert landed(room, "simple_shop", file)["events"] == (4, 3, 1)
    assert room.rows("select event_type, product_ref from raw.events order by occurred_at") == [
        ("page_view", None),
        ("product_view", "product1"),
        ("order_completed", None),
    ]


@real
def test_real_online_retail(room: Room) -> None:
    counts = landed(room, "online_retail", DATA / "online_retail")
    assert all(rejected == 0 for _, _, rejected in counts.values())
    source = DATA / "online_retail" / "online_retail.parquet"
    ((rows, spent),) = room.rows(
        "select count(*), sum(Quantity * UnitPrice) from read_parquet(?)", str(source)
    )
    assert counts["order_lines"][1] + counts["events"][1] == rows
    ((kept,),) = room.rows(
        "select sum(case status when 'returned' then -1 else 1 end * quantity * unit_price) "
        "from raw.order_lines join raw.orders using (order_ref)"
    )
    ((apart,),) = room.rows("select sum(value) from raw.events")
    assert kept + apart == pytest.approx(spent)


@real
def test_real_complete_journey(room: Room) -> None:
    counts = landed(room, "complete_journey", DATA / "complete_journey")
    assert all(received == accepted for received, accepted, _ in counts.values())
    source = str(DATA / "complete_journey" / "transactions.parquet")
    (expected,) = room.rows(
        "select count(*), count(distinct basket_id), sum(sales_value), sum(coupon_disc) "
        "from read_parquet(?)",
        source,
    )
    (held,) = room.rows(
        "select count(*), count(distinct order_ref), sum(quantity * unit_price), sum(discount) "
        "from raw.order_lines"
    )
    assert held == pytest.approx(expected)


@real
@pytest.mark.parametrize(
    ("mapping", "file", "entity"),
    [
        ("cdnow", "cdnow/cdnow_master.parquet", "orders"),
        ("taobao", "events/taobao_2h_stream.parquet", "events"),
        ("simple_shop", "events/simple_onlineshop.parquet", "events"),
    ],
)
def test_real_files_come_in_whole(room: Room, mapping: str, file: str, entity: str) -> None:
    ((rows,),) = room.rows("select count(*) from read_parquet(?)", str(DATA / file))
    assert landed(room, mapping, DATA / file)[entity] == (rows, rows, 0)
