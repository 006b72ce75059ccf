{{ config(materialized='view') }}

with lines as (

    select
        -- ids
        lines.order_ref,
        lines.line_number,
        orders.customer_key,
        lines.product_ref,

        -- what happened
        orders.ordered_at,
        orders.status,
        products.product_name,
        products.category,

        -- measures
        lines.quantity,
        lines.unit_price,
        lines.gross_amount,
        lines.discount_amount,
        lines.net_amount
    from {{ ref('stg_order_lines') }} as lines
    inner join {{ ref('orders') }} as orders on lines.order_ref = orders.order_ref
    left join {{ ref('stg_products') }} as products on lines.product_ref = products.product_ref

)

select * from lines
