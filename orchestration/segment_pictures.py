"""Pictures of the segments in force, from what the report has read."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from ml.reasons import Phrase
from ml.segment_heatmap import ProfileFeature, profiles_png
from ml.segment_looks import Look, looks
from ml.segment_model import APART, SegmentModel
from ml.segment_sample import even_rows
from orchestration.documents import Picture
from orchestration.segment_report_data import MOVE_DAYS, REVENUE_DAYS, ReportData

SHOWN_FEATURES = (
    "days_since_last_order",
    "order_days_365d",
    "revenue_365d",
    "average_order_value",
    "products_total",
    "discount_share",
    "store_order_share",
    "return_rate",
    "active_days_30d",
    "message_open_rate_90d",
    "rating_mean",
)
"""Recency, frequency and money, then basket, breadth, price, channel, reading and mood."""
MAP_ROWS = 1_500
TREE_ROWS = 400


def report_columns(model: SegmentModel) -> list[str]:
    """Columns of the features that the pictures need."""
    space = model.space
    counting = [name for i in space.counting for name in space.spec.columns[i].needs]
    orders = [space.spec.orders] if space.spec.orders else []
    return list(dict.fromkeys([*SHOWN_FEATURES, *counting, *orders]))


def segment_looks(data: ReportData, model: SegmentModel) -> dict[int, Look]:
    """How every segment looks that the tables or the model know."""
    ids = (APART, *model.ids)
    now = data.customers[["segment_id", "segment_name"]].drop_duplicates()
    names = {
        **data.names,
        **dict(now.itertuples(index=False, name=None)),
        **{i: model.name_of(i) for i in ids},
    }
    colours = {i: life["colour"] for i, life in data.lives.items()}
    colours |= {i: model.colour_of(i) for i in ids}
    return looks(names, colours)


def shown_features(
    customers: pd.DataFrame, phrases: Mapping[str, Phrase], currency: str
) -> list[ProfileFeature]:
    """Those of `SHOWN_FEATURES` that tell customers apart, in words."""
    return [
        ProfileFeature(name, phrases[name].label, _writer(phrases[name], currency))
        for name in SHOWN_FEATURES
        if customers[name].nunique() > 1
    ]


def draw_segments(
    data: ReportData,
    model: SegmentModel,
    profile: pd.DataFrame,
    features: Sequence[ProfileFeature],
    look: Mapping[int, Look],
    phrases: Mapping[str, Phrase],
    seed: int,
) -> list[Picture]:
    """Every picture of the report, in the order of the page.

    Parameters
    ----------
    profile
        Of `features`, from `ml.segment_heatmap.profile_table`.
    """
    from ml.segment_flows import moves_png, sizes_png

    when = f"as of {data.as_of:%Y-%m-%d}"
    pictures = [
        _picture(
            "segment_profiles",
            profiles_png(profile, look, features, when),
            "Heat map: a row per segment, a column per feature, with the segment's mean in figures "
            "and in colour whether it is high or low among all customers.",
        ),
        *_maps(data, model, look, phrases, when, seed),
    ]
    first = data.sizes["as_of"].min() if len(data.sizes) else data.as_of
    revenue = f"revenue of the {REVENUE_DAYS} days before ({data.currency or 'mixed currencies'})"
    pictures.append(
        _picture(
            "segment_sizes",
            sizes_png(data.sizes, look, f"{first:%Y-%m-%d} to {data.as_of:%Y-%m-%d}", revenue),
            "Two line charts with a line per segment: customers, and revenue, by date.",
        )
    )
    if data.moves is not None:
        sizes = dict(data.customers["segment_id"].value_counts())
        period = f"the {MOVE_DAYS} days to {data.as_of:%Y-%m-%d}"
        pictures.append(
            _picture(
                "segment_moves",
                moves_png(data.moves, look, sizes, period),
                "Bands from the segments that customers left to those that they joined, as thick "
                "as the customers are many.",
            )
        )
    return pictures


def _maps(
    data: ReportData,
    model: SegmentModel,
    look: Mapping[int, Look],
    phrases: Mapping[str, Phrase],
    when: str,
    seed: int,
) -> list[Picture]:
    """Pictures of customers as points; those whom the space holds apart have no place in them."""
    from ml.segment_map import map_customers, som_png
    from ml.segment_scatter import pca_png, tsne_png
    from ml.segment_silhouette import silhouette_png
    from ml.segment_trees import dendrogram_png

    points = model.space.points(data.customers)
    ids = data.customers["segment_id"].to_numpy(dtype=np.int64)
    placed = np.flatnonzero(~np.isnan(points).any(axis=1))
    rows = placed[even_rows(len(placed), MAP_ROWS, seed)]
    few = placed[even_rows(len(placed), TREE_ROWS, seed)]
    space = model.space
    labels = (
        [_label(space.columns[i], phrases) for i in space.counting]
        if space.components is None
        else [f"principal axis {i + 1} of the space" for i in range(space.dimensions)]
    )
    at, own = points[rows], ids[rows]
    pictures = [
        _picture(
            "segment_pca",
            pca_png(at, own, look, labels, when),
            "Scatter of sampled customers on two principal components, by segment.",
        ),
        _picture(
            "segment_tsne",
            tsne_png(at, own, look, when, seed),
            "Scatter of sampled customers by t-SNE, by segment.",
        ),
        _picture(
            "segment_silhouette",
            silhouette_png(at, own, look, when),
            "Silhouette of each sampled customer, sorted within each segment.",
        ),
        _picture(
            "segment_tree",
            dendrogram_png(points[few], ids[few], look, when),
            "Dendrogram of sampled customers by Ward's linkage, with their segments below.",
        ),
    ]
    if points.shape[1] > 1 and len(rows):
        pictures.append(
            _picture(
                "segment_map",
                som_png(*map_customers(at, own, seed), look, when),
                "Self-organising map: nodes by segment, shaded by the distance to those around.",
            )
        )
    return pictures


def _picture(title: str, image: bytes, alt: str) -> Picture:
    return Picture(title, image, alt, is_wide=True)


def _label(column: str, phrases: Mapping[str, Phrase]) -> str:
    parts = [phrases[part].label if part in phrases else part for part in column.split(" per ")]
    return " per ".join(parts)


def _writer(phrase: Phrase, currency: str) -> Callable[[float], str]:
    if phrase.unit == "share":
        return lambda value: f"{value:.1%}" if abs(value) < 0.0995 else f"{value:.0%}"
    if phrase.unit == "currency":
        return lambda value: f"{value:,.0f} {currency}".rstrip()
    if phrase.unit == "days":
        return lambda value: f"{value:,.0f} days"
    return lambda value: f"{value:,.1f}"
