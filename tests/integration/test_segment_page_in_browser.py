"""The page of segments that the main job writes: whole, true to the tables, self-contained."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.deployment import SHOAL, Deployment

PICTURES = ("profiles", "pca", "tsne", "silhouette", "tree", "map")
SECTIONS = (
    "Who they are",
    "What sets them apart",
    "Where customers lie",
    "How clear the groups are",
    "Over time",
    "Who moved",
    "Rule segments",
    "How they were chosen",
)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def page(demo: tuple[Deployment, str]) -> str:
    """As the main job wrote it, before later jobs of other tests."""
    return (demo[0].values.reports / "segments.html").read_text()


def test_page_has_every_section_and_card(demo: tuple[Deployment, str], page: str) -> None:
    deployment, _ = demo
    segments = deployment.query(
        "select distinct segment_id, segment_name from marts.customer_segments"
    )
    for number, name in segments:
        assert html.escape(f"{number}: {name}") in page
    for section in SECTIONS:
        assert f"<h2>{section}</h2>" in page
    assert re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d UTC. Model segments:\d+ by ", page)
    counted = re.findall(r"<li>([\d,]+) customers, \d+% of all</li>", page)
    assert len(counted) == len(segments)
    (written,) = re.findall(r"([\d,]+) customers, [\d,]+ of them ", page)
    assert sum(int(count.replace(",", "")) for count in counted) == int(written.replace(",", ""))


def test_page_needs_nothing_else_and_describes_its_pictures(
    demo: tuple[Deployment, str], page: str
) -> None:
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) >= len(PICTURES)
    for image in images:
        (alt,) = re.findall(r'alt="([^"]*)"', image)
        assert len(alt) > 40
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page)
    assert not re.search(r"\b(nan|None|inf)\b", text)
    folder = demo[0].values.reports / "segments"
    for name in PICTURES:
        assert (folder / f"segment_{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look with")
def test_both_pages_are_shown_by_a_browser(
    demo: tuple[Deployment, str], page: str, tmp_path: Path
) -> None:
    deployment, _ = demo
    ((key,),) = deployment.query("select min(customer_key) from marts.customers")
    customer = tmp_path / "customer.html"
    said = deployment.run(str(SHOAL), "customer", str(key), "--html", str(customer))
    assert "personal data" in said
    (tmp_path / "segments.html").write_text(page)
    for path, words in ((tmp_path / "segments.html", "How they were chosen"), (customer, str(key))):
        image = path.with_suffix(".png")
        assert CHROMIUM is not None
        shown = subprocess.run(
            [
                *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
                *("--no-first-run", "--disable-background-networking", "--disable-sync"),
                *("--disable-component-update", f"--user-data-dir={tmp_path / path.stem}"),
                *("--virtual-time-budget=5000", "--window-size=1280,3000"),
                *(f"--screenshot={image}", "--dump-dom", path.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert words in shown.stdout
        assert image.read_bytes().startswith(b"\x89PNG")
