"""Pictures for people: in an asset's metadata and in the report folder."""

import base64
from pathlib import Path

import dagster as dg


def picture(title: str, image: bytes) -> dg.MarkdownMetadataValue:
    """A PNG as metadata that the Dagster UI shows."""
    encoded = base64.b64encode(image).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")


def save_file(path: Path, content: bytes) -> None:
    """Write a file of a report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(content)
    draft.replace(path)


def save_text(path: Path, text: str) -> None:
    """Write a page whole or not at all."""
    save_file(path, text.encode())
