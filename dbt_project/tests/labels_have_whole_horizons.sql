{{ config(meta={'dagster': {'ref': {'name': 'customer_labels'}}}) }}

-- A label counts only when its whole horizon is over: an open one would call buyers churned. Its
-- instant is a midnight, so that no day is half feature and half label.

select distinct
    task,
    as_of,
    horizon_days
from {{ ref('customer_labels') }}
where
    as_of <> date_trunc('day', as_of)
    or {{ days_between('as_of', as_of()) }} < horizon_days
