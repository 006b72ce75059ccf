"""The segment report as a page: cards, tables and pictures in order, gaps said in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from ml.segment_families import FAMILIES
from ml.segment_heatmap import ProfileFeature, apart
from ml.segment_looks import Look
from ml.segment_model import APART, SegmentModel
from orchestration.documents import Block, Card, Cards, Heading, Picture, Table, Text
from orchestration.registry import Version
from orchestration.segment_report_data import MOVE_DAYS, ReportData

CHOICE = (
    ("k", "segments"),
    ("silhouette", "silhouette"),
    ("stability", "stability"),
    ("month_stability", "stability over a month"),
    ("usefulness", "usefulness"),
    ("smallest_share", "smallest segment"),
    ("noise", "noise"),
    ("davies_bouldin", "Davies-Bouldin"),
    ("calinski_harabasz", "Calinski-Harabasz"),
)
PERCENT = ("smallest_share", "noise")


def segment_page(
    data: ReportData,
    version: Version,
    model: SegmentModel,
    profile: pd.DataFrame,
    features: Sequence[ProfileFeature],
    look: Mapping[int, Look],
    pictures: Sequence[Picture],
    written: datetime,
) -> list[Block]:
    """Lay the report out for `orchestration.documents`."""
    drawn = {one.title: one for one in pictures}

    def show(*names: str) -> list[Block]:
        return [drawn[name] for name in names if name in drawn]

    return [
        Heading("Segments of customers", 1),
        Text(_head(data, version, model, written)),
        Heading("Who they are"),
        Cards(tuple(_cards(data, profile, features, look))),
        Heading("What sets them apart"),
        Text(
            "The figures are means of a segment's customers. The colour says how high they are "
            "among all customers: red means that most others have less, blue that most have more."
        ),
        *show("segment_profiles"),
        Heading("Where customers lie"),
        Text(
            f"Segment {APART}, {model.name_of(APART)}, has no place in these and the next pictures."
        ),
        *show("segment_pca", "segment_tsne"),
        Heading("How clear the groups are"),
        Text(
            "Behaviour has few gaps, so neighbouring segments touch. A silhouette of 0.3 to 0.4 is "
            "usual for customers; as important is that the same groups come out again."
        ),
        *show("segment_silhouette", "segment_tree", "segment_map"),
        Heading("Over time"),
        *_over_time(data, drawn),
        Heading("Who moved"),
        *_moves(data, drawn),
        Heading("Rule segments"),
        *_rules(data),
        Heading("How they were chosen"),
        *_choice(model),
    ]


def _head(data: ReportData, version: Version, model: SegmentModel, written: datetime) -> str:
    held_apart = int((data.customers["segment_id"] == APART).sum())
    money = f"Money is in {data.currency}." if data.currency else "Currencies are not converted."
    return (
        f"Written {written:%Y-%m-%d %H:%M} UTC, as of {data.as_of:%Y-%m-%d %H:%M} UTC. Model "
        f"{version.label} by {FAMILIES[model.family].title}: {len(data.customers):,} customers, "
        f"{held_apart:,} of them {model.name_of(APART)} (segment {APART}), the others in {model.k} "
        f"segments. "
        f"{money}"
    )


def _cards(
    data: ReportData,
    profile: pd.DataFrame,
    features: Sequence[ProfileFeature],
    look: Mapping[int, Look],
) -> list[Card]:
    currency = f" {data.currency}".rstrip()
    spent = data.customers.groupby("segment_id")["revenue_365d"].sum()
    groups = data.customers.groupby("segment_id")
    value, churn = groups["expected_value"].mean(), groups["churn_probability"].mean()
    cards = []
    for row in profile.to_dict("records"):
        i = row["segment_id"]
        lines = [
            f"{row['customers']:,} customers, {row['share']:.0%} of all",
            f"{spent[i]:,.0f}{currency} of revenue in 365 days, "
            f"{spent[i] / max(spent.sum(), 1e-9):.0%} of all",
        ]
        if not np.isnan(value[i]):
            lines.append(f"expected value {value[i]:,.0f}{currency} a customer")
        if not np.isnan(churn[i]):
            lines.append(f"chance to leave {churn[i]:.0%}, of those with a score")
        lines += apart(profile, i, features)
        if i in data.lives:
            lines.append(f"known since {data.lives[i]['born_at']:%Y-%m-%d}")
        cards.append(Card(look[i].label, look[i].colour, tuple(lines)))
    return cards


def _over_time(data: ReportData, drawn: Mapping[str, Picture]) -> list[Block]:
    dates = data.sizes["as_of"].nunique()
    if dates < 2:
        return [Text("Nothing to draw yet: customers have been scored as of one instant only.")]
    return [drawn["segment_sizes"]]


def _moves(data: ReportData, drawn: Mapping[str, Picture]) -> list[Block]:
    gone = [
        f"{data.names[i]} on {life['retired_at']:%Y-%m-%d}"
        for i, life in data.lives.items()
        if life["retired_at"] is not None
    ]
    found: list[Block] = [Text(f"Segments that were retired: {', '.join(gone)}.")] if gone else []
    if data.moves is None:
        return [*found, Text("This deployment keeps no moves yet.")]
    if data.moves.empty:
        return [*found, Text(f"Nobody moved between segments in the {MOVE_DAYS} days before.")]
    found.append(drawn["segment_moves"])
    if data.flicker is not None:
        found.append(
            Text(
                f"Of {data.flicker['movers']:,} customers who moved in the month from "
                f"{data.flicker['period_start']:%Y-%m-%d} on, {data.flicker['came_back_share']:.0%}"
                " came back to where they had been."
            )
        )
    return found


def _rules(data: ReportData) -> list[Block]:
    if data.rules is None:
        return [Text("This deployment has no rule segments.")]
    disabled: list[Block] = [
        Text(f"Disabled: {rule['title']}, {rule['error']}") for rule in data.disabled_rules
    ]
    if not data.rules:
        return [Text("No customer is in a rule segment now."), *disabled]
    rows = tuple(
        (row["title"], f"{row['customers']:,}", f"{row['last_entered_at']:%Y-%m-%d %H:%M}")
        for row in data.rules
    )
    return [
        Text("By rule, beside the segments above; a customer can be in several."),
        Table(("rule", "customers now", "last entered"), rows),
        *disabled,
    ]


def _choice(model: SegmentModel) -> list[Block]:
    table = model.selection
    finalists = table[table["finalist"]].sort_values(
        ["chosen", "pareto", "silhouette"], ascending=False
    )
    known = [(name, words) for name, words in CHOICE if finalists[name].notna().any()]
    rows = tuple(
        (
            "chosen" if row["chosen"] else "Pareto" if row["pareto"] else "",
            FAMILIES[row["family"]].title,
            *(_cell(name, row[name]) for name, _ in known),
        )
        for row in finalists.to_dict("records")
    )
    return [
        Text(
            f"{len(table)} candidates were fitted, {int(table['eligible'].sum())} had neither tiny "
            f"segments nor much noise, and the {len(finalists)} below went through resampling. Of "
            "those that none beats in silhouette, stability and usefulness together, the stable "
            "and useful one with the highest silhouette is chosen."
        ),
        Table(("", "family", *(words for _, words in known)), rows),
        Text(
            "Pareto: no other finalist is as good in all three. Silhouette: 1 well apart, 0 "
            "touching. Stability: mean adjusted Rand index over bootstrap resamples, 1 the same "
            "groups every time. Usefulness: share of what customers did next that their segment "
            "alone explains. Davies-Bouldin: low is better; Calinski-Harabasz: high is better."
        ),
    ]


def _cell(name: str, value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return ""
    if name in PERCENT:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"
