{{ config(meta={'dagster': {'ref': {'name': 'customer_features'}}}) }}

-- No feature was computed after the clock, or from anything after its own instant.

select
    customer_key,
    as_of
from {{ ref('customer_features') }}
where
    as_of > {{ as_of() }}
    or least(
        days_since_last_order,
        days_since_last_event,
        days_since_first_seen
    ) < 0
