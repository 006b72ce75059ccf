"""``segments.html``: who the segments are, how clear they are, and how they change."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.registry import Registry
from orchestration.settings import Settings

PAGE = "segments.html"


def write_segment_report(lake: Lake, values: Settings) -> dict[str, Any]:
    """Write the page and its pictures to the report folder; returns asset metadata."""
    from ml.segment_heatmap import profile_table
    from orchestration.champions import load_segments
    from orchestration.documents import to_html
    from orchestration.phrases import feature_phrases
    from orchestration.pictures import picture, save_file, save_text
    from orchestration.segment_page import segment_page
    from orchestration.segment_pictures import (
        draw_segments,
        report_columns,
        segment_looks,
        shown_features,
    )
    from orchestration.segment_report_data import read_report_data

    found = load_segments(Registry(values))
    if found is None:
        return {"written": "nothing: there is no segmentation yet"}
    version, model = found
    with lake.reader(latest=True) as connection:
        data = read_report_data(connection, report_columns(model))
    if data.customers.empty:
        return {"written": "nothing: no customer has a segment yet"}
    phrases = feature_phrases()
    look = segment_looks(data, model)
    features = shown_features(data.customers, phrases, data.currency)
    profile = profile_table(data.customers, data.customers["segment_id"].to_numpy(), features)
    pictures = draw_segments(data, model, profile, features, look, phrases, values.seed)
    for one in pictures:
        save_file(values.reports / "segments" / f"{one.title}.png", one.image)
    page = segment_page(data, version, model, profile, features, look, pictures, datetime.now(UTC))
    path = values.reports / PAGE
    save_text(path, to_html("Segments of customers", page))
    return {
        "report": dg.MetadataValue.path(path),
        "version": version.label,
        "family": model.family,
        "segments": model.k,
        "customers": len(data.customers),
        **{one.title: picture(one.label, one.image) for one in pictures},
    }
