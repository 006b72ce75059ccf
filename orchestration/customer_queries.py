"""What is asked of the published tables about one customer; ``$key`` is the customer's."""

STEPS = 15
SCORE_ROWS = 6
MOVES = 12

CUSTOMER = """
select
    customers.* exclude (customer_key, consents_analytics, consents_personalisation,
        consents_marketing),
    (
        select max_by(currency, ordered_at)
        from marts.orders
        where customer_key = $key
    ) as currency,
    (
        select count(*)
        from intermediate.identity_map
        where identifier_kind = 'customer' and customer_key = $key
    ) as refs
from marts.customers as customers
where customers.customer_key = $key
"""
CONSENTS = """
select
    consents_analytics as analytics,
    consents_personalisation as personalisation,
    consents_marketing as marketing
from marts.customers
where customer_key = $key
"""
SEGMENT = """
select segment_id, segment_name, distance, as_of, model_version
from marts.customer_segments
where customer_key = $key
"""
SEGMENT_HISTORY = """
with scorings as (
    select
        as_of,
        segment_id,
        segment_name,
        lag(segment_id) over (order by as_of, scored_at) as previous_id,
        row_number() over (order by as_of, scored_at) as scoring
    from marts.score_history
    where customer_key = $key and segment_id is not null
)
select as_of as since, segment_id, segment_name
from scorings
where scoring = 1 or segment_id <> previous_id
order by scoring desc
"""
LAST_MOVES = f"""
select moved_at, from_segment_name, to_segment_name, cause, why
from marts.segment_moves
where customer_key = $key
order by moved_at desc
limit {MOVES}
"""
RULES = """
select rule, title, entered_at
from marts.rule_segments
where customer_key = $key
order by entered_at desc, rule
"""
SCORED = """
select as_of, model_versions, top_reasons
from marts.customer_scores
where customer_key = $key
"""
VALUE_INTERVAL = """
select expected_value_low as low, expected_value_high as high
from marts.customer_scores
where customer_key = $key
"""
SCORE_HISTORY = f"""
select as_of, churn_probability, purchase_probability, expected_value, segment_name, model_versions
from marts.score_history
where customer_key = $key
order by as_of desc, scored_at desc
limit {SCORE_ROWS}
"""
RESPONSES = """
select channel, probability, as_of
from marts.response_scores
where customer_key = $key
order by probability desc, channel
"""
CATEGORIES = """
select category, probability, rank, as_of
from marts.category_scores
where customer_key = $key
order by rank
"""
LAST_STEPS = f"""
select occurred_at, step, channel, campaign_ref, stage, value
from marts.journey_steps
where customer_key = $key and ($everything or starts_with(step, 'order_'))
order by step_number desc
limit {STEPS}
"""
