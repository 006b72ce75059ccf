{{ config(meta={'dagster': {'ref': {'name': 'int_customer_days'}}}) }}

-- Revenue is conserved: what customers' completed orders are worth in marts.orders is what their
-- days add up to. An order that came back later was completed once and counts on that day.

with completed_orders as (

    select distinct
        order_ref,
        customer_key
    from {{ ref('int_order_states') }}
    where
        status = 'completed'
        and customer_key is not null

),

order_revenue as (

    select coalesce(sum(orders.net_amount), 0) as revenue
    from completed_orders as completed
    inner join {{ ref('orders') }} as orders on completed.order_ref = orders.order_ref

),

day_revenue as (

    select coalesce(sum(revenue), 0) as revenue
    from {{ ref('int_customer_days') }}

)

select
    order_revenue.revenue as revenue_of_orders,
    day_revenue.revenue as revenue_of_days
from order_revenue
cross join day_revenue
where
    abs(order_revenue.revenue - day_revenue.revenue) > 1e-9 * (1 + abs(order_revenue.revenue))
    and {{ no_later_batch([ref('int_order_states'), ref('stg_order_lines')]) }}
