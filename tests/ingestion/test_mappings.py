"""A mapping with an error is refused when it loads, with file, place and reason."""

from pathlib import Path

import pytest

from orchestration.ingestion.expressions import parse_expression
from orchestration.ingestion.mappings import MappingError, load_mapping, load_mappings

GOOD = """
name: shop
files: "*.csv"
entities:
  orders:
    order_ref: number
    ordered_at: sold
"""


def written(tmp_path: Path, text: str, name: str = "shop.yml") -> Path:
    path = tmp_path / "sources" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_good_mapping_loads(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, GOOD))
    assert mapping.name == "shop"
    assert mapping.title == "sources/shop.yml"
    assert list(mapping.entities["orders"].columns) == ["order_ref", "ordered_at"]


def test_the_projects_mappings_load() -> None:
    mappings = load_mappings(Path(__file__).parents[2] / "sources")
    assert {"cdnow", "complete_journey", "online_retail", "simple_shop", "taobao"} <= set(mappings)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: shop", "name: [shop", "sources/shop.yml: is no YAML, line 3"),
        ("name: shop", "", "sources/shop.yml: name: Field required"),
        ("name: shop", "name: My Shop", "sources/shop.yml: name: String should match"),
        ("name: shop", "name: shop\nfile: x", "sources/shop.yml: file: Extra inputs are not"),
        ("name: shop", "name: a\nname: b", 'is no YAML, line 3: "name" occurs twice'),
        ("orders:", "order:", "sources/shop.yml: order: no such entity (has: events, customers,"),
        ("ordered_at:", "sold_at:", 'orders.sold_at: orders has no column "sold_at" (has: order_'),
        ("ordered_at:", "sold_at:", "sources/shop.yml: orders.ordered_at: is required and missing"),
        ("sold\n", "sold +\n", "sources/shop.yml: orders.ordered_at: does not parse: syntax error"),
        ("sold\n", "sold; drop table x\n", "sources/shop.yml: orders.ordered_at: does not parse"),
        ("sold\n", "(select 1)\n", "sources/shop.yml: orders.ordered_at: a subquery is not allow"),
        ("sold\n", "a, b\n", "sources/shop.yml: orders.ordered_at: more than one expression"),
        ("sold\n", "max(sold)\n", "sources/shop.yml: orders.ordered_at: max() spans many rows"),
        ("sold\n", "now()\n", "sources/shop.yml: orders.ordered_at: now() differs from run to"),
        ("sold\n", "\n", "sources/shop.yml: orders.ordered_at: give a DuckDB expression"),
        ("sold\n", "{a: 1}\n", "sources/shop.yml: orders.ordered_at: give a DuckDB expression"),
        (
            "  orders:",
            "  orders:\n    where: a +",
            "sources/shop.yml: orders.where: does not parse",
        ),
        ("files:", "options: {encoding: klingon}\nfiles:", 'options.encoding: no encoding "klin'),
    ],
)
def test_errors_name_file_place_and_reason(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert str(caught.value).startswith("sources/shop.yml: ")
    assert message in str(caught.value)


def test_every_error_of_a_mapping_is_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("number", "a +").replace("sold", "now()")
    with pytest.raises(MappingError) as caught:
        load_mapping(written(tmp_path, text))
    assert len(str(caught.value).splitlines()) == 2


def test_two_mappings_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD, "a.yml")
    path = written(tmp_path, GOOD, "b.yml")
    with pytest.raises(MappingError, match=r'sources/b.yml: the name "shop" is also in sources/a'):
        load_mappings(path.parent)


def test_a_missing_or_empty_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="there is no such mapping"):
        load_mapping(tmp_path / "sources" / "none.yml")
    with pytest.raises(MappingError, match="has to hold name, files and entities"):
        load_mapping(written(tmp_path, ""))


def test_columns_of_an_expression_leave_out_lambda_parameters() -> None:
    expression = parse_expression('list_transform("A b", lambda q: q + c.d) -- x')
    assert expression.columns == (("A b",), ("c", "d"))
    assert not expression.windowed


def test_row_numbers_count_in_the_order_of_the_file() -> None:
    expression = parse_expression("row_number() over (partition by number)")
    assert expression.text == "row_number() OVER (PARTITION BY number ORDER BY source_row)"
    assert expression.windowed
