"""Campaigns: who is written to, who is held back, who reads, and what it truly changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.calendar import week_starts
from simulation.config import DAY, HOUR, MINUTE, SECOND, MarketConfig
from simulation.consents import MARKETING, Consents
from simulation.draws import Flags, Floats, Ints, Keys, between, child_keys, happens
from simulation.engagement import Interest
from simulation.personas import CAMPAIGN_KINDS, EMAIL, PUSH, SMS, traits
from simulation.persons import Persons

CONTROL_SHARE = 0.10
REACH = 0.40
WEEKS_PER_CAMPAIGN = 2

_CHANNEL_CYCLE = np.array([EMAIL, EMAIL, PUSH, EMAIL, SMS, PUSH])
_COST_BY_CHANNEL = {EMAIL: 0.002, PUSH: 0.0005, SMS: 0.06}
_CLICK_CHANCE = 0.22


@dataclass(frozen=True)
class Campaigns:
    """The plan: one campaign every two weeks. Arrays have shape (campaigns,).

    A campaign begins in the morning of the first day of `week` and works for two weeks.
    """

    week: Ints
    kind: Ints
    channel: Ints

    def refs(self) -> list[str]:
        """The campaign_refs, in the order of the plan."""
        return [
            f"CMP-{number + 1:03d}-{CAMPAIGN_KINDS[kind]}" for number, kind in enumerate(self.kind)
        ]


def plan_campaigns(config: MarketConfig) -> Campaigns:
    """All campaigns of the period, by turns of each kind and channel."""
    week = np.arange(1, config.weeks - 1, WEEKS_PER_CAMPAIGN)
    number = np.arange(len(week))
    return Campaigns(
        week, number % len(CAMPAIGN_KINDS), _CHANNEL_CYCLE[number % len(_CHANNEL_CYCLE)]
    )


@dataclass(frozen=True)
class Messages:
    """Messages of some persons, control group included; arrays of shape (messages,).

    `opened_at` and `clicked_at` are -1 where it never happened.
    """

    key: Keys
    person: Ints
    campaign: Ints
    variant: Ints
    is_control: Flags
    sent_at: Ints
    opened_at: Ints
    clicked_at: Ints
    cost: Floats


def send_messages(
    config: MarketConfig,
    campaigns: Campaigns,
    persons: Persons,
    interest: Interest,
    consents: Consents,
    reach: float,
) -> Messages:
    """Messages to a random part `reach` of those who allow marketing, a tenth held back.

    Whom a campaign reaches does not depend on behaviour, so treated and control compare.
    """
    keys = child_keys(persons.key[:, None], "campaign", np.arange(len(campaigns.week))[None, :])
    sent = week_starts(config)[campaigns.week] + 6 * HOUR
    allowed = consents.granted[:, MARKETING]
    until = consents.withdrawn_at[:, MARKETING]
    reached = happens(keys, "reached", reach) & allowed[:, None]
    reached &= (persons.joined[:, None] < sent) & (sent < until[:, None] - DAY)
    person, campaign = np.nonzero(reached)
    key = keys[person, campaign]
    sent_at = sent[campaign] + (between(key, "sent", 0, 90) * MINUTE).astype(np.int64)
    is_control = happens(key, "control", CONTROL_SHARE)
    level = interest.level[person, campaigns.week[campaign]]
    present = sent_at < interest.churn_at[person]
    chance = traits("opens")[persons.persona[person]] * np.exp(0.7 * level)
    opened = ~is_control & happens(key, "opens", np.where(present, chance, 0.01).clip(0, 0.95))
    delay = (60 * np.exp(between(key, "open delay", 0.0, 6.5)) * SECOND).astype(np.int64)
    opened_at = np.where(opened, sent_at + delay, -1)
    clicked = opened & happens(key, "clicks", _CLICK_CHANCE)
    clicked &= opened_at < interest.churn_at[person]
    clicked_at = opened_at + (between(key, "click delay", 2, 60) * SECOND).astype(np.int64)
    cost = np.array([_COST_BY_CHANNEL.get(channel, 0.0) for channel in range(SMS + 1)])
    return Messages(
        key=key,
        person=person,
        campaign=campaign,
        variant=np.where(is_control, 2, happens(key, "variant", 0.5).astype(np.int64)),
        is_control=is_control,
        sent_at=sent_at,
        opened_at=opened_at,
        clicked_at=np.where(clicked & (clicked_at < config.finish - HOUR), clicked_at, -1),
        cost=np.where(is_control, 0.0, cost[campaigns.channel[campaign]]),
    )


def purchase_lift(
    config: MarketConfig, campaigns: Campaigns, persons: Persons, messages: Messages
) -> Floats:
    """Factor on the purchase rate of each person and week, shape (persons, weeks)."""
    lift = np.ones((len(persons), config.weeks))
    treated = ~messages.is_control
    person, campaign = messages.person[treated], messages.campaign[treated]
    effect = traits("effects")[persons.persona[person], campaigns.kind[campaign]]
    factor = np.exp(effect + persons.response[person])
    for later in range(WEEKS_PER_CAMPAIGN):
        lift[person, campaigns.week[campaign] + later] = factor
    return lift
