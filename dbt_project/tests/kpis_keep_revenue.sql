{{ config(meta={'dagster': {'ref': {'name': 'kpi_daily'}}}) }}

-- The days add up to marts.orders, guests included.

with order_revenue as (

    select
        count(*) as orders,
        coalesce(sum(net_amount), 0) as revenue
    from {{ ref('orders') }}
    where status = 'completed'

),

kpi_revenue as (

    select
        coalesce(sum(orders), 0) as orders,
        coalesce(sum(revenue), 0) as revenue
    from {{ ref('kpi_daily') }}

)

select
    order_revenue.orders as orders_in_marts,
    kpi_revenue.orders as orders_in_kpis,
    order_revenue.revenue as revenue_in_marts,
    kpi_revenue.revenue as revenue_in_kpis
from order_revenue
cross join kpi_revenue
where
    order_revenue.orders <> kpi_revenue.orders
    or abs(order_revenue.revenue - kpi_revenue.revenue) > 1e-9 * (1 + abs(order_revenue.revenue))
