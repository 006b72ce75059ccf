{{ config(tags=['journeys'], meta={'dagster': {'ref': {'name': 'kpi_daily_by'}}}) }}

-- Whatever tells them apart, the same sessions, orders and revenue.

with totals as (

    select
        kpi_date,
        dimension,
        sum(sessions) as sessions,
        sum(orders) as orders,
        sum(revenue) as revenue
    from {{ ref('kpi_daily_by') }}
    group by 1, 2

),

compared as (

    select
        kpi_date,
        max(sessions) - min(sessions) as sessions_apart,
        max(orders) - min(orders) as orders_apart,
        max(revenue) - min(revenue) as revenue_apart,
        max(abs(revenue)) as revenue
    from totals
    group by 1

)

select *
from compared
where
    sessions_apart > 0
    or orders_apart > 0
    or revenue_apart > 1e-9 * (1 + revenue)
