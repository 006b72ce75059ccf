"""Pictures of models and segments, as PNG bytes.

Drawn on bare `matplotlib.figure.Figure` objects with the Agg canvas, so that no global state is
touched. Colours: Okabe and Ito (2008), told apart by colour-blind readers; line styles differ too.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.evaluation import calibration_table, roc_auc

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")


def roc_png(label: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], title: str) -> bytes:
    """ROC curves of several models on the same customers.

    Parameters
    ----------
    label : array-like, shape (n,)
        0 or 1.
    scores : mapping of model name to array-like, shape (n,)
    title : str
        Say model, horizon and date, such as "Churn in 60 days, as of 2011-08-01".

    Returns
    -------
    png : bytes
    """
    y = np.asarray(label, dtype=float)
    figure, axes = _canvas(title)
    for i, (name, score) in enumerate(scores.items()):
        s = np.asarray(score, dtype=float)
        order = np.argsort(-s, kind="stable")
        ends = np.r_[np.flatnonzero(np.diff(s[order])), len(s) - 1]
        hit = np.cumsum(y[order])[ends] / max(y.sum(), 1)
        false = np.cumsum(1 - y[order])[ends] / max((1 - y).sum(), 1)
        text = f"{name} (AUC {roc_auc(y, s):.3f})"
        axes.plot(np.r_[0, false], np.r_[0, hit], label=text, **_style(i))
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="chance")
    axes.set(xlabel="false positive rate (share of label 0)", xlim=(0, 1), ylim=(0, 1.01))
    axes.set_ylabel("true positive rate (share of label 1)")
    return png(figure, axes)


def reliability_png(label: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], title: str) -> bytes:
    """Observed share against predicted probability in ten bins; see `roc_png`."""
    figure, axes = _canvas(title)
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="perfectly calibrated")
    for i, (name, score) in enumerate(scores.items()):
        table = calibration_table(label, score)
        axes.plot(table["predicted"], table["observed"], marker="o", label=name, **_style(i))
        if i == 0:
            for predicted, observed, rows in table[["predicted", "observed", "rows"]].to_numpy():
                axes.annotate(
                    f"{int(rows):,}",
                    (predicted, observed),
                    xytext=(4, -11),
                    textcoords="offset points",
                    fontsize=7,
                    color="0.3",
                )
    axes.set(xlabel="predicted probability", xlim=(0, 1), ylim=(0, 1))
    axes.set_ylabel("observed share of label 1 (small figures: customers)")
    return png(figure, axes)


def lift_png(label: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], title: str) -> bytes:
    """Lift over the mean rate in the highest-scored share of customers; see `roc_png`."""
    y = np.asarray(label, dtype=float)
    figure, axes = _canvas(title)
    share = np.arange(1, len(y) + 1) / len(y)
    shown = share >= 0.01
    for i, (name, score) in enumerate(scores.items()):
        order = np.argsort(-np.asarray(score, dtype=float), kind="stable")
        rate = np.cumsum(y[order]) / np.arange(1, len(y) + 1)
        axes.plot(100 * share[shown], rate[shown] / max(y.mean(), 1e-12), label=name, **_style(i))
    axes.axhline(1, color="0.6", linewidth=1, label="chance")
    axes.set(xlabel="customers contacted, highest scores first (%)", xlim=(0, 100))
    axes.set_ylabel("lift (times the mean rate)")
    return png(figure, axes)


def profit_png(curve: pd.DataFrame, threshold: float, title: str, currency: str = "") -> bytes:
    """Expected and realised profit over the share of customers contacted.

    Parameters
    ----------
    curve : DataFrame
        From `ml.profit.profit_curve`.
    threshold : float
        Probability above which a contact pays.
    title : str
        Say model, horizon and dates.
    currency : str
        Unit of money, written on its axis.

    Returns
    -------
    png : bytes
    """
    figure, axes = _canvas(title)
    share = 100 * curve["share"].to_numpy()
    for i, name in enumerate(("realised", "expected")):
        axes.plot(share, curve[name], label=f"{name} profit", **_style(i))
    contacted = curve.loc[curve["probability"] > threshold, "share"].max()
    best = 100 * (0.0 if np.isnan(contacted) else float(contacted))
    axes.axvline(best, color="0.4", linewidth=1, linestyle=":")
    axes.annotate(
        f"threshold {threshold:.3f}: {best:.0f} %",
        (best, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(4 if best < 60 else -4, 0),
        ha="left" if best < 60 else "right",
        textcoords="offset points",
        fontsize=8,
    )
    axes.axhline(0, color="0.6", linewidth=1)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set(xlabel="customers contacted, highest probability first (%)", xlim=(0, 100))
    axes.set_ylabel(f"profit{f' ({currency})' if currency else ''}")
    return png(figure, axes)


def segments_png(profile: pd.DataFrame, title: str, currency: str = "") -> bytes:
    """Size of each segment and its mean recency, frequency and money.

    Parameters
    ----------
    profile : DataFrame
        From `ml.segments.SegmentModel.profile`.
    title : str
        Say the date.
    currency : str
        Unit of money, written on its axis.

    Returns
    -------
    png : bytes
    """
    figure, _ = _canvas(title, size=(11, 1.6 + 0.55 * max(len(profile), 2)), axes=False)
    panels = (
        ("customers", "customers"),
        ("mean_recency", "days since last order (mean)"),
        ("mean_frequency", "frequency (mean)"),
        ("mean_monetary", f"spend (mean{', ' + currency if currency else ''})"),
    )
    names = [f"{row.segment_id}  {row.segment_name}" for row in profile.itertuples()]
    grid = figure.subplots(1, len(panels), sharey=True)
    colours = [COLOURS[int(i) % len(COLOURS)] for i in profile["segment_id"]]
    for axes, (column, text) in zip(grid, panels, strict=True):
        values = profile[column].fillna(0).to_numpy(dtype=float)
        bars = axes.barh(names, values, color=colours)
        if column == "customers":
            texts = [f"{share:.0%}" for share in profile["share"]]
        else:
            known = profile[column].notna()
            texts = [f"{v:,.1f}" if k else "" for v, k in zip(values, known, strict=True)]
        axes.bar_label(bars, texts, padding=2, fontsize=8)
        axes.set_xlabel(text)
        axes.margins(x=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].invert_yaxis()
    return png(figure, None)


def _canvas(
    title: str, size: tuple[float, float] = (6.4, 4.8), *, axes: bool = True
) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    drawn = figure.subplots() if axes else figure.add_axes((0, 0, 1, 1))
    if not axes:
        drawn.remove()
    else:
        drawn.grid(alpha=0.25)
        drawn.spines[["top", "right"]].set_visible(False)
    return figure, drawn


def _style(i: int) -> dict[str, Any]:
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[i % len(STYLES)]}


def png(figure: Figure, axes: Axes | None = None) -> bytes:
    """Draw a figure as PNG, with the legend of its axes if they are named."""
    if axes is not None:
        axes.legend(frameon=False, fontsize=8)
    buffer = io.BytesIO()
    # No software version in the file: equal data give equal bytes.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
