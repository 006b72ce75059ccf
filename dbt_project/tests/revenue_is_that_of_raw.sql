{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}

-- What the lines of orders are worth in raw is what marts.orders say, whatever the state of the
-- order. Lines whose order has not come count in neither.

with raw_orders as (

    select distinct order_ref
    from {{ source('raw', 'orders') }}

),

raw_lines as (

    select
        coalesce(sum(lines.quantity * lines.unit_price), 0) as gross_amount,
        coalesce(sum(lines.discount), 0) as discount_amount
    from {{ source('raw', 'order_lines') }} as lines
    inner join raw_orders on lines.order_ref = raw_orders.order_ref

),

mart_orders as (

    select coalesce(sum(net_amount), 0) as net_amount
    from {{ ref('orders') }}

)

select
    raw_lines.gross_amount - raw_lines.discount_amount as net_amount_in_raw,
    mart_orders.net_amount as net_amount_in_marts
from raw_lines
cross join mart_orders
where
    abs(raw_lines.gross_amount - raw_lines.discount_amount - mart_orders.net_amount)
    > 1e-9 * (1 + abs(raw_lines.gross_amount))
    and {{ no_later_batch([source('raw', 'orders'), source('raw', 'order_lines')]) }}
