"""A customer's facts as a page, in words."""

from collections.abc import Mapping, Sequence

from ml.category_rows import HORIZON_DAYS
from ml.reasons import Phrase
from ml.tasks import TASKS
from orchestration.customer_facts import CustomerFacts
from orchestration.customer_words import money, percent, plain, share_below, when
from orchestration.documents import Block, Bullets, Heading, Table, Text
from orchestration.rows import Row

PROFILE = {
    "country": "country",
    "city": "city",
    "birth_year": "year of birth",
    "signed_up_at": "signed up",
    "first_seen_at": "first seen",
    "last_seen_at": "last seen",
    "first_order_date": "first order",
    "last_order_at": "last order",
    "orders": "orders so far",
    "revenue": "spent so far",
    "return_amount": "sent back so far",
    "refs": "customer refs that are this customer",
}
MONEY = ("revenue", "return_amount")
DECISIONS = {True: "granted", False: "refused", None: "no decision known"}


def customer_page(
    facts: CustomerFacts, phrases: Mapping[str, Phrase], horizons: Mapping[str, int]
) -> list[Block]:
    """Lay the facts out for `orchestration.documents` or a terminal.

    Parameters
    ----------
    phrases : mapping of feature to Phrase
        How to speak of each feature.
    horizons : mapping of task to int
        Days that the model behind each score looks ahead.
    """
    currency = facts.profile["currency"] or ""
    steps = Heading(f"Last {'orders' if facts.withheld else 'steps'}, newest first")
    return [
        Heading(f"Customer {facts.customer_key}", 1),
        Text(f"As of {when(facts.as_of)} UTC. No name, address, e-mail or telephone is shown."),
        Heading("Profile"),
        _profile(facts.profile, currency),
        Heading("Consent"),
        Table(
            ("purpose", "decision"),
            tuple((purpose, DECISIONS[given]) for purpose, given in facts.consents.items()),
        ),
        *(_withheld() if facts.withheld else _analytics(facts, phrases, horizons, currency)),
        steps,
        _or_text(_steps(facts.steps, currency), "None is known."),
    ]


def _withheld() -> list[Block]:
    return [
        Text(
            "This customer refused analytics. Features, segments, scores, reasons and the journey "
            "are not shown; the orders are, since the shop has to serve them."
        )
    ]


def _analytics(
    facts: CustomerFacts,
    phrases: Mapping[str, Phrase],
    horizons: Mapping[str, int],
    currency: str,
) -> list[Block]:
    return [
        Heading("Buying and behaviour"),
        _or_text(_features(facts.features, phrases, currency), "No features yet."),
        Heading("Segment"),
        Text(_segment_now(facts.segment)),
        Table(
            ("since", "segment"),
            tuple((when(row["since"]), row["segment_name"]) for row in facts.segment_history),
        ),
        *_moves(facts.moves),
        Heading("Rule segments"),
        *_rules(facts.rules),
        Heading("Scores"),
        *_scores(facts, horizons, currency),
        Heading("Response to a message, by channel"),
        _or_text(
            Table(
                ("channel", "chance of a reaction", "as of"),
                tuple(
                    (row["channel"], percent(row["probability"]), when(row["as_of"]))
                    for row in facts.responses
                ),
            ),
            "No such scores: no response model yet, or this customer may not be written to.",
        ),
        Heading("Next category"),
        _or_text(
            Table(
                ("rank", "category", f"chance of a purchase in {HORIZON_DAYS} days", "as of"),
                tuple(
                    (
                        str(row["rank"]),
                        row["category"],
                        percent(row["probability"]),
                        when(row["as_of"]),
                    )
                    for row in facts.categories
                ),
            ),
            "No such scores: no category model yet, or this customer has not bought lately.",
        ),
    ]


def _profile(profile: Row, currency: str) -> Table:
    return Table(
        ("", ""),
        tuple(
            (words, money(profile[name], currency) if name in MONEY else plain(profile[name]))
            for name, words in PROFILE.items()
            if name in profile
        ),
    )


def _features(rows: Sequence[Row], phrases: Mapping[str, Phrase], currency: str) -> Table:
    def shown(value: float | None, phrase: Phrase) -> str:
        if value is None:
            return phrase.missing or "not known"
        if phrase.unit == "currency":
            return money(value, currency)
        if phrase.unit == "share":
            return percent(value)
        unit = f" {phrase.unit}" if phrase.unit == "days" else ""
        return f"{value:,.{phrase.decimals}f}{unit}"

    return Table(
        ("", "this customer", "typical (median)", "higher than"),
        tuple(
            (
                phrases[row["feature"]].label,
                shown(row["value"], phrases[row["feature"]]),
                shown(row["median"], phrases[row["feature"]]),
                share_below(row["share_below"], "customers"),
            )
            for row in rows
            if row["median"] is not None
        ),
    )


def _segment_now(segment: Row | None) -> str:
    if segment is None:
        return "No segment yet."
    return (
        f"{segment['segment_name']} (segment {segment['segment_id']}), "
        f"as of {when(segment['as_of'])}, by {segment['model_version']}."
    )


def _moves(moves: Sequence[Row] | None) -> list[Block]:
    if not moves:
        return [] if moves is None else [Text("No move between segments yet.")]
    return [
        Table(
            ("moved", "from", "to", "cause", "why"),
            tuple(
                (
                    when(row["moved_at"]),
                    row["from_segment_name"] or "",
                    row["to_segment_name"] or "",
                    row["cause"] or "",
                    "; ".join(row["why"] or ()),
                )
                for row in moves
            ),
        )
    ]


def _rules(rules: Sequence[Row] | None) -> list[Block]:
    if rules is None:
        return [Text("This deployment has no rule segments.")]
    return [
        Bullets(tuple(f"{row['title']}, since {when(row['entered_at'])}" for row in rules))
        if rules
        else Text("In none now.")
    ]


def _scores(facts: CustomerFacts, horizons: Mapping[str, int], currency: str) -> list[Block]:
    if facts.scored is None:
        return [Text("No scores yet: the next run that scores will write them.")]
    if not facts.scores:
        return [Bullets(tuple(facts.scored["top_reasons"]))]
    return [
        Text(f"As of {when(facts.scored['as_of'])}, by {facts.scored['model_versions']}."),
        Table(
            ("", "this customer", "8 to 9 in 10 such customers", "higher than"),
            tuple(
                (
                    _question(row["task"], horizons),
                    _score(row["task"], row["value"], currency),
                    ""
                    if row["low"] is None
                    else f"{money(row['low'], currency)} to {money(row['high'], currency)}",
                    share_below(row["share_below"], "customers scored"),
                )
                for row in facts.scores
            ),
        ),
        Heading(f"Reasons ({_question(facts.scores[0]['task'], horizons)})", 3),
        Bullets(tuple(facts.scored["top_reasons"])),
        Heading("Scores so far", 3),
        Table(
            ("as of", "churn", "purchase", "expected value", "segment"),
            tuple(
                (
                    when(row["as_of"]),
                    percent(row["churn_probability"]),
                    percent(row["purchase_probability"]),
                    money(row["expected_value"], currency),
                    row["segment_name"] or "",
                )
                for row in facts.score_history
            ),
        ),
    ]


def _question(task: str, horizons: Mapping[str, int]) -> str:
    title = TASKS[task].title
    if task not in horizons:
        return title.replace("{days} days", "its horizon")
    return title.format(days=horizons[task])


def _score(task: str, value: float, currency: str) -> str:
    return percent(value) if TASKS[task].is_binary else money(value, currency)


def _steps(steps: Sequence[Row], currency: str) -> Table:
    return Table(
        ("when", "what", "channel", "campaign", "stage", "value"),
        tuple(
            (
                when(row["occurred_at"]),
                row["step"].replace("_", " "),
                row["channel"] or "",
                row["campaign_ref"] or "",
                row["stage"],
                "" if row["value"] is None else money(row["value"], currency),
            )
            for row in steps
        ),
    )


def _or_text(table: Table, otherwise: str) -> Block:
    return table if table.rows else Text(otherwise)
