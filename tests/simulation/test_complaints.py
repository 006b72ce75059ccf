"""Planted bursts of complaints: about one product, at once, and nobody's in particular."""

from __future__ import annotations

from simulated_market import Market

IN_BURST = """
    from feedback join feedback_truth using (feedback_ref) join complaints_truth c
    using (product_ref) where posted_at between c.start and c."end" and source_type = 'post'
"""


def test_a_burst_is_as_the_truth_says(market: Market) -> None:
    bursts = market.rows('select start, "end", product_ref, topic from complaints_truth')
    assert len(bursts) == 2
    assert len({row[2] for row in bursts}) == 2
    posts = market.one("select count(*) from feedback where source_type = 'post'")
    assert posts == market.one(f"select count(*) {IN_BURST}") >= 60
    assert market.one(f"select max(sentiment) {IN_BURST}") < -0.15
    first = f"select count(*) {IN_BURST} and posted_at = c.start"
    assert market.one(first) == 2


def test_a_burst_begins_within_its_first_hour_and_lasts_some(market: Market) -> None:
    within = f"select avg((posted_at < c.start + interval 1 hour)::int) {IN_BURST}"
    assert 0.3 < market.one(within) < 0.6
    assert (
        market.one("select max(date_diff('minute', start, \"end\")) from complaints_truth") <= 240
    )


def test_posts_have_no_customer_and_no_stars(market: Market) -> None:
    of_posts = "from feedback where source_type = 'post'"
    assert market.one(f"select count(customer_ref) + count(rating) {of_posts}") == 0
