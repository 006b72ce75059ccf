"""``listening.html``: what customers say, written for people."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.settings import Settings

PAGE = "listening.html"


def write_listening_report(lake: Lake, values: Settings) -> dict[str, Any]:
    """Write the page to the report folder; returns asset metadata."""
    from orchestration.listening.page import listening_page
    from orchestration.listening.page_data import read_page_data
    from orchestration.pictures import save_text

    with lake.reader(latest=True) as connection:
        data = read_page_data(connection)
    path = values.reports / PAGE
    save_text(path, listening_page(data, datetime.now(UTC), reads_texts=values.read_texts))
    return {
        "report": dg.MetadataValue.path(path),
        "texts": data.texts,
        "unread": sum(data.unread.values()),
        "issues": len(data.issues),
        "examples": len(data.examples),
    }
