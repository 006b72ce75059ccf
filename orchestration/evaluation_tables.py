"""The tables of the evaluation page, as text in cells."""

from collections.abc import Sequence

import pandas as pd

from ml.words import measure_words, model_words


def by_metric(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row per metric, one column per model."""
    wide = {
        word(name): [figure(row) for row in rows.itertuples()]
        for name, rows in table.groupby(column, sort=False)
    }
    metrics = [measure_words(name) for name in table["metric"].unique()]
    return pd.DataFrame({"metric": metrics, **wide})


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """One row per metric, one column per baseline: how much better the model is."""
    wide = {
        f"against {word(name)}": [
            f"{signed(row.difference)} ({signed(row.low)} to {signed(row.high)}): {row.verdict}"
            for row in rows.itertuples()
        ]
        for name, rows in table.groupby("baseline", sort=False)
    }
    metrics = [measure_words(name) for name in table["metric"].unique()]
    return pd.DataFrame({"metric": metrics, **wide})


def by_origin_table(table: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """One row per origin and model."""
    rows = []
    for (origin, model), part in table.groupby(["origin", "model"], sort=False):
        figures = {row.metric: row for row in part.itertuples()}
        rows.append(
            {
                "origin": f"{origin:%Y-%m-%d}",
                "customers": f"{part['rows'].iloc[0]:,}",
                "model": word(model),
                **{measure_words(name): figure(figures[name]) for name in metrics},
            }
        )
    return pd.DataFrame(rows)


def deciles_table(table: pd.DataFrame) -> pd.DataFrame:
    """Predicted and observed value, decile by decile."""
    return pd.DataFrame(
        {
            "decile": table["decile"],
            "rows": table["rows"],
            "predicted, sum": [f"{value:,.0f}" for value in table["predicted_sum"]],
            "observed, sum": [f"{value:,.0f}" for value in table["observed_sum"]],
            "predicted, mean": [f"{value:,.2f}" for value in table["predicted_mean"]],
            "observed, mean": [f"{value:,.2f}" for value in table["observed_mean"]],
            "predicted / observed": [
                "" if pd.isna(value) else f"{value:.2f}" for value in table["ratio"]
            ],
            "share of all value": [f"{value:.1%}" for value in table["share_of_observed"]],
        }
    )


def groups_table(table: pd.DataFrame, ranking: str) -> pd.DataFrame:
    """How each group of customers is served."""

    def interval(row: object, name: str) -> str:
        value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
        return "" if pd.isna(value) else f"{value:.3f} ({low:.3f} to {high:.3f})"

    promised = (
        {f"{ranking} promised": [f"{value:.3f}" for value in table["promised"]]}
        if table["promised"].notna().any()
        else {}
    )
    return pd.DataFrame(
        {
            "group": [f"{row.dimension}: {row.group}" for row in table.itertuples()],
            "rows": [f"{rows:,}" for rows in table["rows"]],
            "mean label": [f"{rate:,.3f}" for rate in table["base_rate"]],
            ranking: [interval(row, "ranking") for row in table.itertuples()],
            **promised,
            "predicted / observed": [interval(row, "calibration") for row in table.itertuples()],
            f"{ranking}, difference to all others": [
                interval(row, "ranking_difference") for row in table.itertuples()
            ],
            "flag": table["flag"],
        }
    )


def figure(row: object) -> str:
    """A figure with its interval, of a row with ``value``, ``low`` and ``high``."""
    value, low, high = (getattr(row, name) for name in ("value", "low", "high"))
    if pd.isna(value):
        return "undefined"
    shown = ".1f" if abs(value) >= 100 else ".2f" if abs(value) >= 10 else ".3f"
    return f"{value:,{shown}} ({low:,{shown}} to {high:,{shown}})"


def signed(value: object) -> str:
    """A difference with its sign."""
    number = float(str(value))
    return f"{number:+,.{1 if abs(number) >= 10 else 4}f}"


def plain(value: float) -> str:
    """A difference without a plus."""
    return signed(value).removeprefix("+")


def word(name: object) -> str:
    """What the page calls a model."""
    return "Shoal's model" if name == "model" else model_words(str(name)).replace("_", " ")
