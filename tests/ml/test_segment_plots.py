"""Pictures of segments carry figures, dates and names, and read alike whatever the row order."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from ml import (
    segment_flows,
    segment_heatmap,
    segment_map,
    segment_scatter,
    segment_silhouette,
    segment_trees,
)
from ml.segment_heatmap import ProfileFeature, apart, profile_table
from ml.segment_looks import MARKERS, NO_COLOUR, Look, looks
from ml.segment_model import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PNG = b"\x89PNG\r\n\x1a\n"
WHEN = "as of 2026-03-31"
NAMES = {1: "loyal big spenders", 2: "newcomers", 5: "lapsing bargain hunters"}
LOOK = looks(NAMES, {1: "#0072B2", 2: "#D55E00", 5: "#009E73"})
LABELS = ("days since the last order", "orders so far")
SPENT = ProfileFeature("spent", "revenue so far", lambda value: f"{value:,.0f} EUR")
IDLE = ProfileFeature("idle", "days since the last order", lambda value: f"{value:.0f} days")
MOVES = pd.DataFrame({"from_id": [1, 1, 2], "to_id": [2, 5, 1], "customers": [70, 30, 20]})
SIZES = pd.DataFrame(
    {
        "as_of": pd.to_datetime(["2026-01-31"] * 2 + ["2026-02-28"] * 3),
        "segment_id": [1, 2, 1, 2, 5],
        "customers": [100, 50, 90, 40, 35],
        "revenue": [1000.0, 200.0, 900.0, 100.0, 50.0],
    }
)


def clouds(each: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Three groups far apart, whose first direction is idleness."""
    rng = np.random.default_rng(0)
    middles = np.array([[-6.0, 1.0], [0.0, -1.5], [6.0, 1.0]])
    points = np.concatenate([rng.normal(middle, 0.4, (each, 2)) for middle in middles])
    return points, np.repeat(list(NAMES), each)


def texts(figure: Figure) -> list[str]:
    from matplotlib.text import Text

    found = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
    return [text for text in found if text]


def said(figure: Figure) -> str:
    return " | ".join(text.replace("\n", " ") for text in texts(figure))


def every_picture() -> dict[str, bytes]:
    points, ids = clouds()
    frame = pd.DataFrame({"spent": np.arange(len(ids)) * 2.0, "idle": points[:, 0]})
    return {
        "pca": segment_scatter.pca_png(points, ids, LOOK, LABELS, WHEN),
        "silhouette": segment_silhouette.silhouette_png(points, ids, LOOK, WHEN),
        "tree": segment_trees.dendrogram_png(points, ids, LOOK, WHEN),
        "map": segment_map.som_png(*segment_map.map_customers(points, ids, seed=3), LOOK, WHEN),
        "profiles": segment_heatmap.profiles_png(
            profile_table(frame, ids, [SPENT, IDLE]), LOOK, [SPENT, IDLE], WHEN
        ),
        "sizes": segment_flows.sizes_png(SIZES, LOOK, WHEN, "revenue"),
        "moves": segment_flows.moves_png(MOVES, LOOK, {1: 500}, WHEN),
    }


def test_pictures_are_repeatable_png_and_leave_pyplot_alone() -> None:
    first = every_picture()
    assert all(image.startswith(PNG) for image in first.values())
    assert every_picture() == first
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_neighbours_map_is_repeatable_and_another_seed_is_another_map() -> None:
    points, ids = clouds(12)
    drawn = [segment_scatter.tsne_png(points, ids, LOOK, WHEN, seed) for seed in (1, 1)]
    assert drawn[0] == drawn[1]
    places = segment_scatter.tsne_map(points, seed=1)
    assert places.shape == (36, 2)
    nearest = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(nearest, np.inf)
    assert (ids[nearest.argmin(axis=1)] == ids).all()


def test_pca_names_what_grows_along_its_axes() -> None:
    points, ids = clouds()
    places, shares, loadings = segment_scatter.pca_map(points)
    assert shares[0] > 0.9
    assert shares.sum() == pytest.approx(1)
    assert np.corrcoef(places[:, 0], points[:, 0])[0, 1] > 0.99
    assert abs(loadings[0, 0]) == np.abs(loadings[0]).max()
    shown = said(segment_scatter.pca_figure(points, ids, LOOK, LABELS, WHEN, "Map"))
    assert "Towards higher days since the last order" in shown
    assert "a sample of 120 customers" in shown
    assert all(f"{i}: {name} (33%)" in shown for i, name in NAMES.items())


def test_pca_of_one_feature_has_nothing_along_its_second_axis() -> None:
    points, ids = clouds()
    _, shares, _ = segment_scatter.pca_map(points[:, :1])
    assert shares.tolist() == pytest.approx([1, 0])
    assert segment_scatter.pca_png(points[:, :1], ids, LOOK, LABELS[:1], WHEN).startswith(PNG)


def test_silhouette_says_who_lies_nearer_to_another_segment() -> None:
    points, ids = clouds()
    clear = said(segment_silhouette.silhouette_figure(points, ids, LOOK, WHEN, "Silhouette"))
    assert "nearer another segment" in clear  # what below 0 means
    assert "% nearer another" not in clear
    swapped = ids.copy()
    swapped[:4] = 2
    mixed = said(segment_silhouette.silhouette_figure(points, swapped, LOOK, WHEN, "Silhouette"))
    assert "% nearer another" in mixed


def test_branches_of_one_segment_have_its_colour_and_others_none() -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_hex

    points, ids = clouds()
    figure = segment_trees.dendrogram_figure(points, ids, LOOK, WHEN, "Tree")
    (lines,) = figure.axes[0].findobj(LineCollection)
    colours = [to_hex(colour).upper() for colour in lines.get_color()]
    assert colours.count(segment_trees.MIXED.upper()) == 2  # three pure groups join twice
    assert {own.colour.upper() for own in LOOK.values()} <= set(colours)


def test_nodes_of_the_map_have_the_segment_of_most_of_their_customers() -> None:
    points, ids = clouds()
    codebook, segments, customers = segment_map.map_customers(points, ids, seed=3)
    assert customers.sum() == len(ids)
    held = {i: customers[segments == i].sum() for i in NAMES}
    assert held == {1: 40, 2: 40, 5: 40}
    assert (segments[customers == 0] == 0).all()
    assert codebook.shape[:2] == customers.shape


def test_u_matrix_is_the_mean_distance_to_the_nodes_around() -> None:
    codebook = np.zeros((2, 3, 1))
    codebook[:, 2] = 6.0  # the last column lies 6 away from the rest
    found = segment_map.u_matrix(codebook)
    assert found[0].tolist() == [0, 2, 3]
    assert (found[0] == found[1]).all()


def test_standing_needs_no_unit_and_follows_order_alone() -> None:
    spent = np.array([1.0, 2.0, 3.0, 4.0, 100.0, np.nan])
    ids = np.array([1, 1, 2, 2, 2, 5])
    found = [
        profile_table(pd.DataFrame({"spent": values}), ids, [SPENT])
        for values in (spent, 100 * spent, np.log(spent))
    ]
    standing = [table["standing_spent"].tolist() for table in found]
    assert standing[0] == pytest.approx([0.2, 0.7, np.nan], nan_ok=True)
    np.testing.assert_array_equal(standing, [standing[0]] * 3)
    assert found[0]["mean_spent"].tolist() == pytest.approx([1.5, 107 / 3, np.nan], nan_ok=True)
    assert found[0]["customers"].tolist() == [2, 3, 1]
    order = np.array([5, 3, 1, 0, 4, 2])
    shuffled = profile_table(pd.DataFrame({"spent": spent[order]}), ids[order], [SPENT])
    pd.testing.assert_frame_equal(shuffled, found[0])


def test_words_say_what_sets_a_segment_apart_and_nothing_where_it_is_like_all() -> None:
    ids = np.repeat([1, 2], 50)
    frame = pd.DataFrame({"spent": np.r_[np.arange(50), 1000 + np.arange(50)], "idle": 7.0})
    profile = profile_table(frame, ids, [SPENT, IDLE])
    (low,), (high,) = apart(profile, 1, [SPENT, IDLE]), apart(profile, 2, [SPENT, IDLE])
    assert low == "revenue so far: 24 EUR, lower than 75% of customers"
    assert high == "revenue so far: 1,024 EUR, higher than 75% of customers"
    alike = profile_table(frame.assign(spent=frame["idle"]), ids, [SPENT, IDLE])
    assert apart(alike, 1, [SPENT, IDLE]) == []


def test_heat_map_writes_means_and_says_where_nothing_is_known() -> None:
    frame = pd.DataFrame({"spent": [10.0, 20.0, np.nan], "idle": [1.0, 2.0, 3.0]})
    profile = profile_table(frame, np.array([1, 1, 2]), [SPENT, IDLE])
    shown = said(segment_heatmap.profiles_figure(profile, LOOK, [SPENT, IDLE], WHEN, "Profiles"))
    for words in ("15 EUR", "none known", "3 days", "1: loyal big spenders 2 customers, 67%"):
        assert words in shown


def test_sizes_need_two_dates_and_count_a_missing_segment_as_empty() -> None:
    figure = segment_flows.sizes_figure(SIZES, LOOK, WHEN, "revenue", "Sizes")
    line = next(one for one in figure.axes[0].lines if one.get_label().startswith("5:"))
    assert list(line.get_ydata()) == [0, 35]
    one_date = segment_flows.sizes_figure(SIZES.head(2), LOOK, WHEN, "revenue", "Sizes")
    assert "a course over time needs two dates" in texts(one_date)


def test_bands_are_as_thick_as_their_customers_are_many() -> None:
    figure = segment_flows.moves_figure(MOVES, LOOK, {1: 500, 2: 80}, WHEN, "Moves")
    shown = said(figure)
    for words in (
        "120 moves among 580 customers",
        "100 left; 500 customers now",
        "20 joined; 500 customers now",
    ):
        assert words in shown
    heights = [_height_at_start(band) for band in figure.axes[0].collections]
    assert np.array(heights) / heights[2] == pytest.approx([3.5, 1.5, 1.0], rel=1e-6)


def _height_at_start(band: object) -> float:
    vertices = band.get_paths()[0].vertices  # type: ignore[attr-defined]
    start = vertices[np.isclose(vertices[:, 0], 0)]
    return float(np.ptp(start[:, 1]))


def test_who_stayed_or_nobody_is_no_band() -> None:
    stayed = pd.DataFrame({"from_id": [1], "to_id": [1], "customers": [9]})
    for moves in (stayed, MOVES.head(0), MOVES.assign(customers=0)):
        figure = segment_flows.moves_figure(moves, LOOK, {}, WHEN, "Moves")
        assert "nobody has moved in this period" in texts(figure)


def test_too_few_customers_are_said_and_not_drawn() -> None:
    points, ids = clouds(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in (
            segment_scatter.pca_figure(points, ids, LOOK, LABELS, WHEN, "t"),
            segment_scatter.tsne_figure(points, ids, LOOK, WHEN, 1, "t"),
            segment_trees.dendrogram_figure(points, ids, LOOK, WHEN, "t"),
        ):
            assert any("too few customers" in text for text in texts(figure))
    one = segment_silhouette.silhouette_figure(*clouds(20)[:1], np.ones(60, int), LOOK, WHEN, "t")
    assert any("needs two segments" in text for text in texts(one))


def test_one_look_per_segment_and_grey_for_those_without_a_colour() -> None:
    many = looks({i: f"segment {i}" for i in range(12)}, dict(enumerate(PALETTE, start=1)))
    assert many[0].colour == NO_COLOUR
    assert len({(own.colour, own.marker) for own in many.values()}) == 12
    assert len({own.marker for own in many.values()}) == len(MARKERS)


@pytest.mark.parametrize("colour", [*PALETTE, "#000000", "#FFFFFF"])
def test_ink_can_be_read_on_its_colour(colour: str) -> None:
    """WCAG asks for a contrast of 4.5 between text and what it stands on."""
    own = Look(1, "one", colour, "o")
    other = Look(1, "one", "#000000" if own.ink == "black" else "#FFFFFF", "o")
    light, dark = sorted((_luminance(own.colour), _luminance(other.colour)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
