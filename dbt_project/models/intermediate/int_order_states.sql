{{ config(materialized='view') }}

with order_states as (

    select
        -- ids
        coalesce(owners.customer_key, orders.ref_key) as customer_key,
        orders.*
    from {{ ref('stg_orders') }} as orders
    left join {{ ref('identity_map') }} as owners on orders.ref_key = owners.identifier_key

)

select * from order_states
