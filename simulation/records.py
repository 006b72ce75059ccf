"""Column layouts of what the simulation works on, before it becomes canonical tables.

Text is held as numbers (codes, keys) until the tables are written: a market of millions of
rows then costs a few dozen bytes a row. Times are microseconds since 1970, UTC; money is in
cents of the customer's currency; -1 stands for "none" except where a field says otherwise.
"""

from __future__ import annotations

import numpy as np

NO_CUSTOMER = -1

EVENT_TYPES = (
    "page_view", "product_view", "search", "add_to_cart", "remove_from_cart", "checkout_started",
    "order_completed", "login", "login_failed", "message_opened", "message_clicked",
    "support_contact", "payment_failed",
)  # fmt: skip
(
    PAGE_VIEW, PRODUCT_VIEW, SEARCH, ADD_TO_CART, REMOVE_FROM_CART, CHECKOUT_STARTED,
    ORDER_COMPLETED, LOGIN, LOGIN_FAILED, MESSAGE_OPENED, MESSAGE_CLICKED, SUPPORT_CONTACT,
    PAYMENT_FAILED,
) = range(len(EVENT_TYPES))  # fmt: skip

PAGES = ("/", "/product", "/search", "/cart", "/checkout", "/thank-you", "/login", "/help", "/sale")
PAGE_OF_TYPE = np.array([0, 1, 2, 3, 3, 4, 5, 6, 6, -1, -1, 7, 4])

DEVICE_KINDS = ("mobile", "desktop", "tablet", "kiosk", "till")
MOBILE, DESKTOP, TABLET, KIOSK, TILL = range(len(DEVICE_KINDS))

REFERRERS = ("direct", "search", "social", "email", "affiliate", "ads")
BY_MESSAGE = REFERRERS.index("email")

BROWSE, ABANDON, PURCHASE, AT_TILL = range(4)

STATUSES = ("completed", "cancelled", "returned")
COMPLETED, CANCELLED, RETURNED = range(len(STATUSES))

NO_DETAIL, ORDER_DETAIL, QUERY_DETAIL, TOPIC_DETAIL = range(4)

SESSION = np.dtype(
    [
        ("key", "u8"), ("person", "i8"), ("week", "i8"), ("start", "i8"), ("kind", "i1"),
        ("channel", "i1"), ("store", "i2"), ("device", "u8"), ("device_kind", "i1"),
        ("agent", "i2"), ("referrer", "i1"), ("campaign", "i2"), ("customer", "i8"),
        ("country", "i1"), ("logs_in", "?"), ("views", "i8"),
    ]
)  # fmt: skip
"""One visit. `person` is a row of the chunk's `Persons`; `device` 0 means no anonymous_ref."""

EVENT = np.dtype(
    [
        ("key", "u8"), ("time", "i8"), ("type", "i1"), ("device", "u8"), ("customer", "i8"),
        ("channel", "i1"), ("page", "i1"), ("product", "i4"), ("campaign", "i2"),
        ("quantity", "i4"), ("cents", "i8"), ("country", "i1"), ("device_kind", "i1"),
        ("agent", "i2"), ("referrer", "i1"), ("detail", "i1"), ("about", "u8"),
    ]
)  # fmt: skip
"""One event. `quantity` 0 and `cents` -1 mean none; `about` is read as `detail` says."""

ORDER = np.dtype(
    [
        ("key", "u8"), ("session", "i8"), ("person", "i8"), ("time", "i8"), ("customer", "i8"),
        ("channel", "i1"), ("store", "i2"), ("status", "i1"), ("country", "i1"),
    ]
)  # fmt: skip
"""One order or return. `session` is a row of the chunk's sessions."""

LINE = np.dtype(
    [
        ("order", "i8"), ("order_key", "u8"), ("number", "i8"), ("product", "i8"),
        ("quantity", "i8"), ("cents", "i8"), ("discount", "i8"),
    ]
)  # fmt: skip
"""One product on an order. `order` is a row of the chunk's orders; `cents` is the unit price and
`discount` the amount taken off the whole line."""

FEEDBACK = np.dtype(
    [
        ("key", "u8"), ("time", "i8"), ("customer", "i8"), ("source", "i1"), ("product", "i4"),
        ("topic", "i1"), ("intent", "i1"), ("sentiment", "f8"), ("rating", "i1"),
    ]
)  # fmt: skip
"""One text. `rating` 0 means none; `sentiment` is the truth, -1 to 1."""
