{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}

-- Every order of staging is in marts.orders exactly once, and nothing else is.

with staged_orders as (

    select distinct order_ref
    from {{ ref('stg_orders') }}

),

mart_orders as (

    select
        order_ref,
        count(*) as times
    from {{ ref('orders') }}
    group by 1

)

select
    staged.order_ref as staged_order_ref,
    marts.order_ref as mart_order_ref,
    marts.times
from staged_orders as staged
full join mart_orders as marts on staged.order_ref = marts.order_ref
where
    (marts.times is distinct from 1 or staged.order_ref is null)
    and {{ no_later_batch([ref('stg_orders')]) }}
