"""Canonical tables of what people say about themselves and about the shop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulation.catalogue import Catalogue
from simulation.draws import Rows, below, child_keys, pick
from simulation.feedback import SOURCES, level_of
from simulation.names import (
    CITIES,
    DIALLING,
    FIRST_NAMES,
    LAST_NAMES,
    MAIL_DOMAINS,
    STREETS,
    mistyped,
    plain,
)
from simulation.persons import COUNTRIES
from simulation.profiles import TIERS
from simulation.schemas import SCHEMAS
from simulation.tables import PRODUCT_REFS, customer_texts
from simulation.text import digits, hide, joined, refs, times, words
from simulation.wording import CLOSINGS, LEVELS, OPENINGS, split_sentences

_FIRST = (*FIRST_NAMES, *map(mistyped, FIRST_NAMES))
_LAST = (*LAST_NAMES, *map(mistyped, LAST_NAMES))
_FIRST_MAIL = tuple(map(plain, FIRST_NAMES))
_LAST_MAIL = (*map(plain, LAST_NAMES), *(mistyped(plain(name)) for name in LAST_NAMES))
_CITIES = tuple(city for cities in CITIES for city in cities)
_HEADS, _TAILS = split_sentences()
_VARIANTS = 3
_CONTACT_SHARES = (0.94, 0.03, 0.03)


def customer_table(profiles: Rows) -> pa.Table:
    """Profiles as of an update.

    Phones have the shape of E.164 but begin with 00 after the country code, where no country
    gives out numbers; mail addresses are under domains reserved for examples.
    """
    no_phone = profiles["phone"] < 0
    place = profiles["country"].astype(np.int64) * len(CITIES[0]) + profiles["city"]
    mailbox = digits("", profiles["mailbox"], 7)
    email = joined(
        words(_FIRST_MAIL, profiles["first"]), ".",
        words(_LAST_MAIL, profiles["last"] + len(LAST_NAMES) * profiles["mail_slip"]),
        mailbox, "@", words(MAIL_DOMAINS, profiles["domain"]),
    )  # fmt: skip
    phone = joined(
        "+", words(DIALLING, profiles["country"]), digits("00", profiles["phone"].clip(0), 8)
    )
    name = joined(
        words(_FIRST, profiles["first"] + len(FIRST_NAMES) * (profiles["slip"] == 1)), " ",
        words(_LAST, profiles["last"] + len(LAST_NAMES) * (profiles["slip"] == 2)),
    )  # fmt: skip
    house = pa.array(profiles["house"].astype(np.int64)).cast(pa.string())
    columns = {
        "customer_ref": customer_texts(profiles["customer"]),
        "updated_at": times(profiles["updated"]),
        "email": email,
        "phone": hide(phone, no_phone),
        "full_name": name,
        "birth_date": pa.array(profiles["born"].astype("datetime64[D]")),
        "address": joined(words(STREETS, profiles["street"]), " ", house),
        "city": words(_CITIES, place),
        "postcode": digits("", 10_000 + place * 1_237 + profiles["street"], 5),
        "country": words(COUNTRIES, profiles["country"]),
        "signed_up_at": times(profiles["signed_up"]),
        "attributes": joined('{"tier": "', words(TIERS, profiles["tier"]), '"}'),
    }
    return pa.table(columns, schema=SCHEMAS["customers"])


def feedback_table(feedback: Rows, catalogue: Catalogue) -> pa.Table:
    """Reviews, tickets and chats with their bodies in English."""
    rating = feedback["rating"].astype(np.int64)
    columns = {
        "feedback_ref": feedback_refs(feedback),
        "posted_at": times(feedback["time"]),
        "body": _bodies(feedback, catalogue),
        "source_type": words(SOURCES, feedback["source"]),
        "customer_ref": customer_texts(feedback["customer"]),
        "product_ref": words(PRODUCT_REFS, feedback["product"]),
        "rating": pa.array(rating, mask=rating == 0),
        "language": words(("en",), np.zeros(len(feedback))),
    }
    return pa.table(columns, schema=SCHEMAS["feedback"])


def feedback_refs(feedback: Rows) -> pa.Array:
    """The feedback_ref of each row."""
    return refs("F", feedback["key"])


def _bodies(feedback: Rows, catalogue: Catalogue) -> pa.Array:
    key = child_keys(feedback["key"], "body")
    level = level_of(feedback["sentiment"])
    opening = level * _VARIANTS + below(key, "opening", _VARIANTS)
    sentence = (feedback["topic"].astype(np.int64) * LEVELS + level) * 2 + below(key, "sentence", 2)
    closing = feedback["intent"].astype(np.int64) * _VARIANTS + below(key, "closing", _VARIANTS)
    contact = pick(key, "contact", _CONTACT_SHARES)
    number = below(key, "contact number", 10_000_000)
    mail = joined(" Write to me at me", digits("", number, 7), "@example.org.")
    phone = joined(" Call me on +4900", digits("", number, 8), ".")
    none = pa.array([""] * len(key), pa.string())
    ending = pa.concat_arrays([none, mail, phone]).take(
        pa.array(contact * len(key) + np.arange(len(key)))
    )
    flat_openings = [text for texts in OPENINGS for text in texts]
    flat_closings = [text for texts in CLOSINGS for text in texts]
    return joined(
        words(flat_openings, opening), " ", words(_HEADS, sentence),
        words(catalogue.names, feedback["product"]), words(_TAILS, sentence), " ",
        words(flat_closings, closing), ending,
    )  # fmt: skip
