"""The part of the evaluation page that says how Shoal stands beside what others reach."""

from collections.abc import Sequence

import pandas as pd

from ml.words import measure_words, model_words
from orchestration.evaluation_tables import figure
from orchestration.pages import Page
from orchestration.references import Beside

OWN = "Shoal"


def references_section(page: Page, references: Sequence[Beside]) -> None:
    """Every reference for what is in the lake: Shoal beside it, or why there is nothing."""
    page.heading("Beside what others reach")
    if not references:
        page.paragraph(
            "No figures of others are known for what is in the lake "
            "(orchestration/references.yml has those of Online Retail, Complete Journey and CDNOW)."
        )
        return
    page.paragraph(
        "Their figures have no interval, and their predictions are not known, so the interval is "
        "that of Shoal's figure alone: within it neither is clearly better. A star marks the best "
        "reference of a measure."
    )
    page.bullets(summary(references))
    for one in references:
        reference = one.reference
        page.heading(reference.title, 3)
        page.paragraph(f"{reference.source} n = {reference.customers:,}.")
        if one.figures is None:
            page.paragraph(one.reason)
        else:
            page.bullets([str(standing) for standing in one.standings()])
            page.paragraph(f"Shoal on n = {one.customers:,}, with 95 % intervals:")
        page.table(reference_table(one))


def summary(references: Sequence[Beside]) -> list[str]:
    """On how many measures Shoal is better or worse than the best reference, and on which."""
    lines = []
    for one in references:
        standings = one.standings()
        if not standings:
            lines.append(f"{one.reference.title}: nothing to compare, see below.")
            continue
        worse = [each for each in standings if each.standing == "worse"]
        better = sum(each.standing == "better" for each in standings)
        level = len(standings) - len(worse) - better
        named = ", ".join(f"{measure_words(each.metric)} ({each.model})" for each in worse)
        lines.append(
            f"{one.reference.title}: of {len(standings)} measures Shoal is better than the best "
            f"reference on {better}, within the interval on {level} and worse on {len(worse)}. "
            + (f"A reference is better on {named}." if worse else "No reference is better.")
        )
    return lines


def reference_table(one: Beside) -> pd.DataFrame:
    """Shoal, its baselines and the references, one row each; the best reference has a star."""
    rows = one.reference.rows
    metrics = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = []
    if one.figures is not None:
        for name, part in one.figures.groupby("model", sort=False):
            figures = {row.metric: row for row in part.itertuples()}
            own = OWN if name == "model" else f"{OWN}'s baseline: {model_words(str(name))}"
            table.append(
                {"": own}
                | {
                    measure_words(metric): figure(figures[metric]) if metric in figures else ""
                    for metric in metrics
                }
            )
    best = {(each.metric, each.model) for each in one.standings()}
    for model, row in rows.items():
        cells = {
            measure_words(metric): _number(row[metric], (metric, model) in best)
            if metric in row
            else ""
            for metric in metrics
        }
        table.append({"": f"reference: {model}"} | cells)
    return pd.DataFrame(table)


def _number(value: float, is_best: bool) -> str:
    return f"{value:{',.1f' if abs(value) >= 10 else '.3f'}}{'*' if is_best else ''}"
