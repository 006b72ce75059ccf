"""The eight canonical entities: columns, types, keys and what makes a row unacceptable."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

REFERENCE_LENGTH = 1_000
TEXT_LENGTH = 8_000
LONG_TEXT_LENGTH = 4_000_000


@dataclass(frozen=True)
class Column:
    """One canonical column.

    Attributes
    ----------
    type
        DuckDB type of the column in ``raw``; instants are UTC without a zone.
    non_negative
        A smaller value is rejected.
    max_length
        Longest accepted text, in characters.
    values
        The only accepted values, when not empty.
    """

    name: str
    type: str
    required: bool = False
    non_negative: bool = False
    max_length: int | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entity:
    """One canonical entity.

    Attributes
    ----------
    key
        Columns that identify a row: a second row with the same key is a duplicate.
    time
        Column by which rows are sorted when they are written, or None.
    pseudonyms
        Keyed hashes stored beside the raw identifiers: new column -> source column.
    placeholders
        Why an identifier is no one's, or null: new column -> the pseudonym that it is about.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str | None
    pseudonyms: Mapping[str, str]
    placeholders: Mapping[str, str]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _ref(name: str, *, required: bool = False) -> Column:
    return Column(name, "varchar", required=required, max_length=REFERENCE_LENGTH)


def _text(name: str, length: int = TEXT_LENGTH, *, required: bool = False) -> Column:
    return Column(name, "varchar", required=required, max_length=length)


def _instant(name: str, *, required: bool = False) -> Column:
    return Column(name, "timestamp", required=required)


def _number(name: str, *, required: bool = False, non_negative: bool = True) -> Column:
    return Column(name, "double", required=required, non_negative=non_negative)


def _json(name: str) -> Column:
    return Column(name, "json", max_length=LONG_TEXT_LENGTH)


def _entity(
    name: str,
    *columns: Column,
    key: tuple[str, ...],
    time: str | None,
    pseudonyms: Mapping[str, str] = MappingProxyType({}),
    placeholders: Mapping[str, str] = MappingProxyType({}),
) -> Entity:
    return Entity(
        *(name, columns, key, time),
        MappingProxyType(dict(pseudonyms)),
        MappingProxyType(dict(placeholders)),
    )


CUSTOMER = {"customer_key": "customer_ref"}

ENTITIES: Mapping[str, Entity] = MappingProxyType(
    {
        entity.name: entity
        for entity in (
            _entity(
                "events",
                _ref("event_id", required=True),
                _instant("occurred_at", required=True),
                _ref("event_type", required=True),
                _ref("anonymous_ref"),
                _ref("customer_ref"),
                _ref("channel"),
                _text("page"),
                _ref("product_ref"),
                _ref("campaign_ref"),
                _number("quantity"),
                _number("value", non_negative=False),
                _ref("currency"),
                _ref("country"),
                _ref("device"),
                _text("user_agent"),
                _text("referrer"),
                _json("properties"),
                key=("event_id",),
                time="occurred_at",
                pseudonyms={"customer_key": "customer_ref", "anonymous_key": "anonymous_ref"},
            ),
            _entity(
                "customers",
                _ref("customer_ref", required=True),
                _instant("updated_at", required=True),
                _ref("email"),
                _ref("phone"),
                _ref("full_name"),
                Column("birth_date", "date"),
                _text("address"),
                _ref("city"),
                _ref("postcode"),
                _ref("country"),
                _instant("signed_up_at"),
                _json("attributes"),
                key=("customer_ref", "updated_at"),
                time="updated_at",
                pseudonyms={
                    **CUSTOMER,
                    "email_key": "email",
                    "phone_key": "phone",
                    "loyalty_key": "attributes",
                },
                placeholders={
                    "email_placeholder_reason": "email_key",
                    "phone_placeholder_reason": "phone_key",
                },
            ),
            _entity(
                "orders",
                _ref("order_ref", required=True),
                _instant("ordered_at", required=True),
                _ref("customer_ref"),
                _ref("channel"),
                _ref("store_ref"),
                Column("status", "varchar", values=("completed", "cancelled", "returned")),
                _ref("currency"),
                key=("order_ref", "status"),
                time="ordered_at",
                pseudonyms=CUSTOMER,
            ),
            _entity(
                "order_lines",
                _ref("order_ref", required=True),
                Column("line_number", "bigint", required=True, non_negative=True),
                _ref("product_ref", required=True),
                _number("quantity", required=True),
                _number("unit_price", required=True),
                _number("discount"),
                key=("order_ref", "line_number"),
                time=None,
            ),
            _entity(
                "products",
                _ref("product_ref", required=True),
                _text("name"),
                _ref("category"),
                _ref("brand"),
                _number("price"),
                _instant("updated_at"),
                key=("product_ref", "updated_at"),
                time="updated_at",
            ),
            _entity(
                "messages",
                _ref("message_ref", required=True),
                _instant("sent_at", required=True),
                _ref("customer_ref", required=True),
                _ref("campaign_ref"),
                _ref("channel"),
                _ref("variant"),
                Column("is_control", "boolean"),
                _number("cost"),
                key=("message_ref",),
                time="sent_at",
                pseudonyms=CUSTOMER,
            ),
            _entity(
                "feedback",
                _ref("feedback_ref", required=True),
                _instant("posted_at", required=True),
                _text("body", LONG_TEXT_LENGTH, required=True),
                _ref("source_type"),
                _ref("customer_ref"),
                _ref("product_ref"),
                _number("rating", non_negative=False),
                _ref("language"),
                key=("feedback_ref",),
                time="posted_at",
                pseudonyms=CUSTOMER,
            ),
            _entity(
                "consents",
                _ref("customer_ref", required=True),
                Column(
                    "purpose",
                    "varchar",
                    required=True,
                    values=("analytics", "personalisation", "marketing"),
                ),
                Column("granted", "boolean", required=True),
                _instant("decided_at", required=True),
                key=("customer_ref", "purpose", "decided_at"),
                time="decided_at",
                pseudonyms=CUSTOMER,
            ),
        )
    }
)
