"""What is truly so, beside the landing files: for judging the pipeline, never for feeding it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from simulation.anomalies import ANOMALY_KINDS, Incidents
from simulation.behaviour import Behaviour
from simulation.calendar import week_starts
from simulation.campaigns import Campaigns
from simulation.complaints import ComplaintBursts
from simulation.config import WEEK, MarketConfig
from simulation.crawlers import bot_devices
from simulation.devices import kiosk_devices
from simulation.draws import Ints, Keys, Rows
from simulation.engagement import ENGAGEMENT_SLOPE, NEVER, TROUBLE_SLOPE
from simulation.people_tables import feedback_refs
from simulation.personas import CAMPAIGN_KINDS, PERSONA_NAMES, PERSONAS, traits
from simulation.records import KIOSK
from simulation.tables import PRODUCT_REFS, customer_texts
from simulation.text import digits, refs, times, words
from simulation.wording import INTENTS, TOPICS

_REF_KINDS = ("customer_ref", "anonymous_ref", "kiosk", "bot", "fraud")
_CUSTOMER, _ANONYMOUS, _KIOSK, _BOT, _FRAUD = range(len(_REF_KINDS))


def person_ids(numbers: Ints) -> pa.Array:
    """The person_ids of person numbers; null for -1."""
    return digits("P", numbers, 7, numbers < 0)


def customers_truth(config: MarketConfig, behaviour: Behaviour) -> pa.Table:
    """One row per person: refs, persona, leaving, hazard and campaign response.

    The chance to leave between the starts of weeks a and b, given presence at a and the path of
    interest, is 1 - exp(-sum(weekly_hazard[a:b])); week 0 starts at `hazard_from`. A hazard is
    `base_hazard * exp(-engagement_slope * level + trouble_slope * trouble)`. `response_<kind>`
    is the log change of the purchase rate in the two weeks after such a campaign's message.
    """
    persons, interest = behaviour.persons, behaviour.interest
    count = len(persons)
    has_second = persons.second_ref >= 0
    flat = np.stack([persons.ref, persons.second_ref], axis=1).ravel()
    offsets = np.concatenate([[0], np.cumsum(1 + has_second)])
    columns = {
        "person_id": person_ids(persons.number),
        "customer_refs": pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), customer_texts(flat[flat >= 0])
        ),
        "persona": words(PERSONA_NAMES, persons.persona),
        "joined_at": times(persons.joined),
        "churn_at": pa.array(
            interest.churn_at.astype("datetime64[us]"), mask=interest.churn_at == NEVER
        ),
        "base_hazard": pa.array(traits("hazard")[persons.persona]),
        "engagement_slope": pa.array(np.full(count, ENGAGEMENT_SLOPE)),
        "trouble_slope": pa.array(np.full(count, TROUBLE_SLOPE)),
        "hazard_from": times(np.full(count, config.start)),
        "weekly_hazard": pa.ListArray.from_arrays(
            pa.array(np.arange(count + 1) * config.weeks, pa.int32()),
            pa.array(interest.hazard.astype(np.float32).ravel()),
        ),
    }
    for number, kind in enumerate(CAMPAIGN_KINDS):
        effect = traits("effects")[persons.persona, number] + persons.response
        columns[f"response_{kind}"] = pa.array(effect)
    return pa.table(columns)


def identity_truth(behaviour: Behaviour) -> pa.Table:
    """One row per ref and person: a shared device has a row for each person who used it."""
    persons = behaviour.persons
    twice = np.flatnonzero(persons.second_ref >= 0)
    customers = np.concatenate([persons.ref, persons.second_ref[twice]])
    owners = np.concatenate([persons.number, persons.number[twice]])
    sessions = behaviour.sessions
    personal = sessions[(sessions["device"] != 0) & (sessions["device_kind"] != KIOSK)]
    used = np.unique(
        np.stack([personal["person"].astype(np.uint64), personal["device"]], axis=1), axis=0
    )
    return _identities(
        pa.concat_arrays([customer_texts(customers), refs("A", used[:, 1])]),
        np.repeat([_CUSTOMER, _ANONYMOUS], [len(customers), len(used)]),
        np.concatenate([owners, persons.number[used[:, 0].astype(np.int64)]]),
    )


def strangers_truth(config: MarketConfig, found: Sequence[Incidents]) -> pa.Table:
    """Refs behind which no single person stands: kiosks, bots and fraudsters' devices."""
    kiosks, bots = kiosk_devices(config), bot_devices(config)
    fraud: Keys = np.concatenate([incident.device for incident in found])
    testers = found[ANOMALY_KINDS.index("card_testing")].customer
    devices = refs("A", np.concatenate([kiosks, bots, fraud]))
    sizes = [len(kiosks), len(bots), len(fraud) + len(testers)]
    return _identities(
        pa.concat_arrays([devices, customer_texts(testers)]),
        np.repeat([_KIOSK, _BOT, _FRAUD], sizes),
        np.full(sum(sizes), -1),
    )


def _identities(texts: pa.Array, kinds: Ints, numbers: Ints) -> pa.Table:
    return pa.table(
        {"ref": texts, "kind": words(_REF_KINDS, kinds), "person_id": person_ids(numbers)}
    )


def anomalies_truth(found: Sequence[Incidents]) -> pa.Table:
    """One row per incident: kind, refs, and its first and last instant."""
    tables = []
    for incident in found:
        columns = {
            "kind": words(ANOMALY_KINDS, np.full(len(incident.start), incident.kind)),
            "customer_ref": customer_texts(incident.customer),
            "anonymous_ref": refs("A", incident.device),
            "start": times(incident.start),
            "end": times(incident.end),
        }
        tables.append(pa.table(columns))
    return pa.concat_tables(tables).combine_chunks()


def feedback_truth(feedback: Rows) -> pa.Table:
    """One row per text: true sentiment (-1 to 1), topic and intent."""
    return pa.table(
        {
            "feedback_ref": feedback_refs(feedback),
            "sentiment": pa.array(np.ascontiguousarray(feedback["sentiment"])),
            "topic": words(TOPICS, feedback["topic"]),
            "intent": words(INTENTS, feedback["intent"]),
        }
    )


def complaints_truth(bursts: ComplaintBursts) -> pa.Table:
    """One row per planted burst of complaints: product, topic, first and last instant."""
    return pa.table(
        {
            "product_ref": words(PRODUCT_REFS, bursts.product),
            "topic": words(TOPICS, bursts.topic),
            "start": times(bursts.start),
            "end": times(bursts.end),
        }
    )


def campaigns_truth(config: MarketConfig, campaigns: Campaigns) -> pa.Table:
    """One row per campaign and persona: log change of the purchase rate while it works."""
    campaign, persona = np.indices((len(campaigns.week), len(PERSONAS))).reshape(2, -1)
    starts = week_starts(config)[campaigns.week][campaign]
    return pa.table(
        {
            "campaign_ref": words(campaigns.refs(), campaign),
            "kind": words(CAMPAIGN_KINDS, campaigns.kind[campaign]),
            "persona": words(PERSONA_NAMES, persona),
            "works_from": times(starts),
            "works_until": times(starts + 2 * WEEK),
            "log_effect": pa.array(traits("effects")[persona, campaigns.kind[campaign]]),
        }
    )
