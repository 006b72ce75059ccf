"""A customer whose behaviour changes in a batch is in the new segment after that batch."""

import pytest

from tests.integration.deployment import Deployment

LAPSED = """
select segments.customer_key, segments.segment_id, any_value(orders.customer_ref)
from marts.customer_segments as segments
inner join marts.customer_features as features
    on segments.customer_key = features.customer_key
inner join raw.orders on segments.customer_key = orders.customer_key
where segments.segment_id > 0 and features.order_days_total <= 2
group by all
order by max(features.days_since_last_order) desc
limit 1
"""


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_a_lapsed_customer_who_buys_again_moves_in_that_batch(
    demo: tuple[Deployment, str],
) -> None:
    deployment, _ = demo
    ((key, before, ref),) = deployment.query(LAPSED)
    everyone = "select customer_key, segment_id from marts.customer_segments"
    segments = dict(deployment.query(everyone))
    days = range(10, 30)
    orders = [f"back-{day}" for day in days]
    deployment.drop(
        "back.jsonl",
        [
            {
                "order_ref": order,
                "ordered_at": f"2026-09-{day}T12:00:00Z",
                "customer_ref": ref,
                "channel": "web",
                "status": "completed",
                "currency": "EUR",
            }
            for order, day in zip(orders, days, strict=True)
        ],
        entity="orders",
    )
    deployment.drop(
        "back_lines.jsonl",
        [
            {
                "order_ref": order,
                "line_number": 1,
                "product_ref": "anything",
                "quantity": 10,
                "unit_price": 100.0,
            }
            for order in orders
        ],
        entity="order_lines",
    )
    deployment.batch_job()

    ((batch,),) = deployment.query("select max(batch_id) from ops.batches")
    ((after, assigned_by),) = deployment.query(
        f"select segment_id, batch_id from marts.customer_segments where customer_key = '{key}'"
    )
    assert after != before
    assert assigned_by == batch
    moves = deployment.query(
        "select customer_key, from_segment_id, to_segment_id, cause, why, batch_id = "
        "(select max(batch_id) from ops.batches), moved_at = (select as_of from ops.clock) "
        f"from marts.segment_moves where customer_key = '{key}'"
    )
    ((_, left, entered, cause, why, is_of_batch, is_now),) = moves
    assert (left, entered, cause) == (before, after, "behaviour")
    assert is_of_batch
    assert is_now
    assert isinstance(why, list)
    assert any("days with an order" in reason or "last order" in reason for reason in why)
    assert dict(deployment.query(everyone)) == {**segments, key: after}
    ((scored,),) = deployment.query(
        f"select segment_id from marts.customer_scores where customer_key = '{key}'"
    )
    assert scored == after
