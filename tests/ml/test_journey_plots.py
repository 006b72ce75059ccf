"""Pictures of journeys carry their figures, period and units, and take empty frames."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from ml import journey_figures, journey_plots, plot_pages
from ml.journey_layout import BOX, lay_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG = b"\x89PNG\r\n\x1a\n"
PERIOD = "2024-01-01 to 2024-03-31"

TRANSITIONS = pd.DataFrame(
    [
        ("landing", "product_view", 600, 0.6, 0.05),
        ("landing", "exit", 400, 0.4, np.nan),
        ("product_view", "product_view", 90, 0.15, 0.2),
        ("product_view", "order", 120, 0.2, 26.4),
        ("order", "product_view", 6, 0.05, 300.0),
    ],
    columns=["from_step", "to_step", "transitions", "probability", "median_hours"],
)
FUNNEL = pd.DataFrame(
    {
        "step_number": [2, 1, 3],
        "step": ["add_to_cart", "product_view", "order_completed"],
        "visitors": [2500, 10_000, 90],
        "conversion_from_previous": [0.25, np.nan, 0.036],
        "conversion_from_first": [0.25, np.nan, 0.009],
        "median_hours_from_previous": [0.5, np.nan, 49.0],
    }
)
COHORTS = pd.DataFrame(
    {
        "cohort": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-02-01"]).date,
        "cohort_size": [1200, 1200, 800],
        "period_number": [0, 1, 0],
        "retained_share": [1.0, 0.345, 1.0],
    }
)
CREDITS = pd.DataFrame(
    {
        "model": ["last_touch", "last_touch", "markov", "markov"],
        "channel": ["email", "paid_search", "email", "paid_search"],
        "conversions": [30.0, 70.0, 45.5, 54.5],
    }
)
PICTURES = [
    (journey_plots.journey_map_png, TRANSITIONS),
    (journey_plots.funnel_png, FUNNEL),
    (journey_plots.retention_heatmap_png, COHORTS),
    (journey_plots.attribution_png, CREDITS),
]
EVERY_PICTURE = pytest.mark.parametrize(
    ("draw", "frame"), PICTURES, ids=[draw.__name__ for draw, _ in PICTURES]
)
Draw = Callable[..., bytes]


def texts(figure: Figure) -> list[str]:
    from matplotlib.text import Text

    found = figure.findobj(Text)
    return [text.get_text() for text in found if isinstance(text, Text) and text.get_text()]


@EVERY_PICTURE
def test_pictures_are_repeatable_png_and_leave_pyplot_alone(
    draw: Draw, frame: pd.DataFrame
) -> None:
    first = draw(frame, PERIOD)
    assert first.startswith(PNG)
    assert draw(frame, PERIOD, title="Another") != first
    assert draw(frame.sample(frac=1, random_state=1).sort_index(), PERIOD) == first
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@EVERY_PICTURE
def test_empty_frames_give_a_picture_that_says_so(draw: Draw, frame: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert draw(frame.head(0), PERIOD).startswith(PNG)
    shown = texts(plot_pages.nothing_figure("Title", PERIOD))
    assert {"Title", PERIOD, "nothing to show in this period"} <= set(shown)


@EVERY_PICTURE
def test_missing_columns_are_named(draw: Draw, frame: pd.DataFrame) -> None:
    column = frame.columns[-1]
    with pytest.raises(KeyError, match=f"missing in the frame: {column}"):
        draw(frame.drop(columns=column), PERIOD)


def test_journey_map_tells_share_wait_and_what_is_left_out() -> None:
    shown = texts(journey_figures.journey_map_figure(TRANSITIONS, PERIOD, "Steps"))
    assert {"Steps", PERIOD} <= set(shown)
    assert {"60% · 0.05 h", "40%", "20% · 26 h", "5.0% · 300 h"} <= set(shown)
    assert {"landing\n1,000", "product view\n696", "exit\n400"} <= set(shown)
    assert any("median wait in hours (h)" in text for text in shown)
    assert any("5 of 5 kinds of transition drawn, 100%" in text for text in shown)


def test_journey_map_draws_the_25_most_frequent_transitions() -> None:
    steps = [f"step {i}" for i in range(7)]
    many = pd.DataFrame(
        [
            (a, b, 100 * i + j, 0.1, 1.0)
            for i, a in enumerate(steps, start=1)
            for j, b in enumerate(steps)
        ],
        columns=TRANSITIONS.columns,
    )
    shown = texts(journey_figures.journey_map_figure(many, PERIOD, "Steps"))
    assert shown.count("10% · 1.0 h") == 25
    assert any("25 of 49 kinds of transition drawn" in text for text in shown)


def test_transitions_that_never_happened_are_nothing_to_show() -> None:
    shown = texts(
        journey_figures.journey_map_figure(TRANSITIONS.assign(transitions=0), PERIOD, "Steps")
    )
    assert "nothing to show in this period" in shown


def test_cohorts_without_a_known_share_are_nothing_to_show() -> None:
    unknown = COHORTS.assign(retained_share=np.nan)
    shown = texts(journey_figures.retention_figure(unknown, PERIOD, "Retention", "month"))
    assert "nothing to show in this period" in shown


@EVERY_PICTURE
def test_figures_of_0_can_be_drawn(draw: Draw, frame: pd.DataFrame) -> None:
    figures = frame.select_dtypes("number").columns.difference(["step_number", "period_number"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert draw(frame.assign(**dict.fromkeys(figures, 0)), PERIOD).startswith(PNG)


def test_layout_runs_from_left_to_right_without_overlap() -> None:
    centre = lay_out(TRANSITIONS).centre
    assert centre["landing"][0] < centre["product_view"][0] < centre["order"][0]
    assert centre["exit"][0] == max(x for x, _ in centre.values())
    places = list(centre.values())
    for i, (x, y) in enumerate(places):
        for other_x, other_y in places[i + 1 :]:
            assert abs(x - other_x) > BOX[0] or abs(y - other_y) > BOX[1]


def test_everything_drawn_in_the_map_lies_on_the_page() -> None:
    figure = journey_figures.journey_map_figure(TRANSITIONS, PERIOD, "Steps")
    figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    for artist in [*figure.axes[0].patches, *figure.axes[0].texts, *figure.texts]:
        box = artist.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_funnel_lists_steps_in_order_with_shares_and_hours() -> None:
    figure = journey_figures.funnel_figure(FUNNEL, PERIOD, "Funnel")
    bars, table = figure.axes
    assert [label.get_text() for label in bars.get_yticklabels()] == [
        "1. product view",
        "2. add to cart",
        "3. order completed",
    ]
    assert bars.get_xlabel() == "visitors who reached the step (count)"
    assert [patch.get_width() for patch in bars.patches] == [10_000, 2500, 90]
    cells = [text.get_text() for text in table.texts]
    assert cells[1:4] == ["–", "25%", "3.6%"]
    assert cells[5:8] == ["–", "25%", "0.9%"]
    assert cells[9:12] == ["–", "0.5 h", "49 h"]


@pytest.mark.parametrize(
    ("unit", "first"), [("month", "2024-01  (1,200)"), ("week", "2024-01-01  (1,200)")]
)
def test_retention_names_cohorts_with_their_size(unit: str, first: str) -> None:
    axes, bar = journey_figures.retention_figure(COHORTS, PERIOD, "Retention", unit).axes
    assert axes.get_yticklabels()[0].get_text() == first
    assert axes.get_xlabel().startswith(f"{unit}s since the cohort's first {unit}")
    assert [text.get_text() for text in axes.texts] == ["100", "34", "100"]
    assert bar.get_ylabel() == "still active (% of cohort)"


def test_retention_keeps_the_latest_cohorts() -> None:
    cohort = pd.date_range("2020-01-01", periods=50, freq="MS")
    table = pd.DataFrame(
        {"cohort": cohort, "cohort_size": 10, "period_number": 0, "retained_share": 1.0}
    )
    axes = journey_figures.retention_figure(table, PERIOD, "Retention", "month").axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert (len(names), names[-1]) == (36, "2024-02  (10)")


def test_attribution_shows_channels_by_credit_and_models_in_the_legend() -> None:
    axes = journey_figures.attribution_figure(CREDITS, PERIOD, "Credit").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["paid search", "email"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["last touch", "markov"]
    assert axes.get_ylabel() == "credited conversions (count)"
    assert [patch.get_height() for patch in axes.patches] == [70, 30, 54.5, 45.5]


def test_attribution_sums_small_channels() -> None:
    many = pd.DataFrame(
        {
            "model": "linear",
            "channel": [f"c{i:02}" for i in range(20)],
            "conversions": np.arange(20.0),
        }
    )
    axes = journey_figures.attribution_figure(many, PERIOD, "Credit").axes[0]
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert (len(names), names[0], names[-1]) == (12, "c19", "9 other\nchannels")
    assert sum(patch.get_height() for patch in axes.patches) == sum(range(20))
