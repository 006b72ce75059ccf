"""Figures behind `ml.journey_plots`, which describes their columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml.journey_layout import lay_out
from ml.journey_map import draw_map, hours, percent
from ml.plot_pages import nothing_figure, titled_figure
from ml.plots import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ARROWS = 25
MOST_COHORTS = 36
MOST_PERIODS = 25
MOST_CHANNELS = 12
HATCHES = ("", "//", "..", "xx")


def journey_map_figure(transitions: pd.DataFrame, period: str, title: str) -> Figure:
    """Figure of `ml.journey_plots.journey_map_png`, to be looked into before it is drawn."""
    _need(transitions, ["from_step", "to_step", "transitions", "probability", "median_hours"])
    known = transitions[transitions["transitions"] > 0]
    if known.empty:
        return nothing_figure(title, period)
    names = {"from_step": known["from_step"].astype(str), "to_step": known["to_step"].astype(str)}
    known = known.assign(**names)
    order = ["transitions", "from_step", "to_step"]
    drawn = known.sort_values(order, ascending=[False, True, True]).head(MOST_ARROWS)
    layout = lay_out(drawn)
    counts = [known.groupby(column)["transitions"].sum() for column in ("from_step", "to_step")]
    busy = pd.concat(counts, axis=1).max(axis=1)
    width, height = max(layout.size[0], 7.5), layout.size[1] + 1.25
    figure = titled_figure(title, period, width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    left = (layout.size[0] - width) / 2
    axes.set(xlim=(left, left + width), ylim=(-0.55, height - 0.55))
    axes.set_axis_off()
    draw_map(axes, drawn, layout, busy)
    share = drawn["transitions"].sum() / known["transitions"].sum()
    figure.text(
        0.5,
        0.12 / height,
        "Arrow: share of what leaves the step · median wait in hours (h). Thick: frequent.\n"
        "Colour: the step it leaves. Number in a box: transitions in or out, whichever are more.\n"
        f"{len(drawn)} of {len(known)} kinds of transition drawn, {share:.0%} of all transitions.",
        ha="center",
        va="bottom",
        fontsize=8,
        color="0.3",
    )
    return figure


def funnel_figure(funnel: pd.DataFrame, period: str, title: str) -> Figure:
    """Figure of `ml.journey_plots.funnel_png`."""
    shares = ["conversion_from_previous", "conversion_from_first"]
    _need(funnel, ["step_number", "step", "visitors", *shares, "median_hours_from_previous"])
    if funnel.empty:
        return nothing_figure(title, period)
    steps = funnel.sort_values("step_number", ignore_index=True)
    figure = titled_figure(title, period, 9.5, 1.7 + 0.5 * max(len(steps), 2))
    bars, table = figure.subplots(1, 2, sharey=True, width_ratios=(5, 3.6))
    names = [
        _wrap(f"{n}. {s}", 28, 2) for n, s in zip(steps["step_number"], steps["step"], strict=True)
    ]
    places = np.arange(len(steps))
    drawn = bars.barh(places, steps["visitors"].astype(float), color=COLOURS[0], height=0.68)
    bars.bar_label(drawn, [f"{count:,.0f}" for count in steps["visitors"]], padding=3, fontsize=9)
    bars.set_yticks(places, names)
    bars.set_ylim(len(steps) - 0.4, -1.1)
    bars.set_xlabel("visitors who reached the step (count)")
    bars.set_ylabel("step")
    bars.margins(x=0.18)
    bars.xaxis.set_major_formatter("{x:,.0f}")
    bars.xaxis.get_major_locator().set_params(nbins=4)
    bars.spines[["top", "right"]].set_visible(False)
    table.set_axis_off()
    columns = {
        "of previous\nstep (%)": [percent(share) for share in steps[shares[0]]],
        "of first\nstep (%)": [percent(share) for share in steps[shares[1]]],
        "median wait\n(hours)": [hours(wait) for wait in steps["median_hours_from_previous"]],
    }
    if steps["median_hours_from_previous"].isna().all():
        columns.popitem()
    for x, (name, texts) in zip((0.18, 0.5, 0.85), columns.items(), strict=False):
        style = {"ha": "center", "va": "center", "transform": table.get_yaxis_transform()}
        table.text(x, -0.85, name, fontsize=8.5, color="0.3", **style)
        for place, text in zip(places, texts, strict=True):
            table.text(x, place, text, fontsize=10, **style)
    return figure


def retention_figure(cohorts: pd.DataFrame, period: str, title: str, unit: str) -> Figure:
    """Figure of `ml.journey_plots.retention_heatmap_png`."""
    _need(cohorts, ["cohort", "cohort_size", "period_number", "retained_share"])
    known = cohorts.dropna(subset="retained_share")
    if known.empty:
        return nothing_figure(title, period)
    known = known.assign(retained_share=known["retained_share"].astype(float))
    shares = known.pivot_table(index="cohort", columns="period_number", values="retained_share")
    shares = shares.sort_index().tail(MOST_COHORTS)
    shares = shares.reindex(columns=range(min(int(shares.columns.max()) + 1, MOST_PERIODS)))
    sizes = cohorts.groupby("cohort")["cohort_size"].max()
    width, height = 3.2 + 0.5 * max(len(shares.columns), 6), 2.0 + 0.31 * max(len(shares), 5)
    figure = titled_figure(title, period, width, height)
    axes = figure.subplots()
    # In its own period a cohort is whole; on its scale the later shares would all look alike.
    later = shares.drop(columns=0, errors="ignore").to_numpy(dtype=float)
    top = float(np.nanmax(later)) if np.isfinite(later).any() else 1.0
    values = np.ma.masked_invalid(shares.to_numpy(dtype=float))
    mesh = axes.pcolormesh(values, cmap="Blues", vmin=0, vmax=top or 1.0, edgecolors="white")
    for (row, column), share in np.ndenumerate(values.filled(np.nan)):
        if np.isfinite(share):
            dark = share > 0.6 * top
            text = f"{100 * share:.0f}" if share >= 0.0995 or share == 0 else f"{100 * share:.1f}"
            axes.text(
                column + 0.5,
                row + 0.5,
                text,
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else "0.15",
            )
    days = [
        pd.Timestamp(day).strftime("%Y-%m" if unit == "month" else "%Y-%m-%d")
        for day in shares.index
    ]
    names = [f"{day}  ({sizes[key]:,.0f})" for day, key in zip(days, shares.index, strict=True)]
    axes.set_yticks(np.arange(len(shares)) + 0.5, names, fontsize=8.5)
    axes.set_xticks(
        np.arange(len(shares.columns)) + 0.5, [str(n) for n in shares.columns], fontsize=8.5
    )
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.set_xlabel(f"{unit}s since the cohort's first {unit} ({unit} 0: off the colour scale)")
    axes.set_ylabel(f"cohort, by first {unit} (customers)")
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, format=lambda x, _: f"{100 * x:.0f}")
    bar.set_label("still active (% of cohort)")
    bar.outline.set_visible(False)
    return figure


def attribution_figure(credits: pd.DataFrame, period: str, title: str) -> Figure:
    """Figure of `ml.journey_plots.attribution_png`."""
    _need(credits, ["model", "channel", "conversions"])
    if credits.empty:
        return nothing_figure(title, period)
    models = [str(name) for name in credits["model"].unique()]
    table = credits.pivot_table(
        index="channel", columns="model", values="conversions", aggfunc="sum", fill_value=0
    )
    table = table[models].astype(float)
    table = table.loc[table.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    if len(table) > MOST_CHANNELS:
        rest = table.iloc[MOST_CHANNELS - 1 :]
        table = table.iloc[: MOST_CHANNELS - 1]
        table.loc[f"{len(rest)} other channels"] = rest.sum()
    width = 0.8 / len(models)
    inches = min(max(6.4, 2.6 + len(table) * (0.17 * len(models) + 0.25)), 15)
    figure = titled_figure(title, period, inches, 5.2)
    axes = figure.subplots()
    places = np.arange(len(table))
    for i, model in enumerate(models):
        bars = axes.bar(
            places + (i - (len(models) - 1) / 2) * width,
            table[model],
            width * 0.94,
            label=model.replace("_", " "),
            color=COLOURS[i % len(COLOURS)],
            hatch=HATCHES[i // len(COLOURS) % len(HATCHES)],
            edgecolor="white",
            linewidth=0.3,
        )
        if table.size <= 16:
            axes.bar_label(bars, [f"{credit:,.0f}" for credit in table[model]], fontsize=8)
    axes.set_xticks(places, [_wrap(str(name), 13, 3) for name in table.index], fontsize=9)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("channel, most credit first (mean of the models)")
    axes.set_ylabel("credited conversions (count)")
    axes.yaxis.set_major_formatter("{x:,.0f}")
    style = {"frameon": False, "fontsize": 9, "title_fontsize": 9}
    axes.legend(title="model", loc="upper left", bbox_to_anchor=(1, 1), **style)
    return figure


def _need(frame: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise KeyError(f"missing in the frame: {', '.join(missing)}")


def _wrap(text: str, width: int, most: int) -> str:
    lines = textwrap.wrap(text.replace("_", " "), width) or [text]
    return "\n".join(lines[:most]) + ("…" if len(lines) > most else "")
