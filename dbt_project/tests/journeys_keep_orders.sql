{{ config(meta={'dagster': {'ref': {'name': 'journey_steps'}}}) }}

-- Every completed order of a customer is in that customer's journey, as its own step or as the
-- event that tells of it, and as its own step not more than once.

with completed_orders as (

    select
        order_ref,
        customer_key,
        count(*) as times
    from {{ ref('int_order_states') }}
    where
        status = 'completed'
        and customer_key is not null
    group by 1, 2

),

journey_orders as (

    select
        order_ref,
        customer_key,
        count(*) as times
    from {{ ref('journey_steps') }}
    where
        step = 'order_completed'
        and session_id is null
    group by 1, 2

),

told_orders as (

    select
        order_ref,
        customer_key,
        count(*) as times
    from {{ ref('journey_steps') }}
    where
        step = 'order_completed'
        and session_id is not null
        and order_ref is not null
    group by 1, 2

)

select
    orders.order_ref,
    orders.customer_key,
    orders.times as times_completed,
    steps.times as times_as_order,
    told.times as times_as_event
from completed_orders as orders
left join journey_orders as steps
    on
        orders.order_ref = steps.order_ref
        and orders.customer_key = steps.customer_key
left join told_orders as told
    on
        orders.order_ref = told.order_ref
        and orders.customer_key = told.customer_key
where
    (coalesce(steps.times, 0) > orders.times or coalesce(steps.times, told.times) is null)
    and {{ no_later_batch([ref('int_order_states')]) }}
