{{ config(materialized='view') }}

-- Completed states of orders are facts of their own day, also where the order comes back later.

with category_lines as (

    select
        states.customer_key,
        products.first_category as category,
        states.ordered_at
    from {{ ref('int_order_states') }} as states
    inner join {{ ref('stg_order_lines') }} as lines on states.order_ref = lines.order_ref
    inner join {{ ref('stg_products') }} as products on lines.product_ref = products.product_ref
    where
        states.status = 'completed'
        and states.customer_key is not null
        and products.first_category is not null

),

category_days as (

    select
        customer_key,
        category,
        cast(ordered_at as date) as order_date,
        max(ordered_at) as last_at,
        count(*) as lines
    from category_lines
    group by 1, 2, 3

)

select * from category_days
