{{ config(materialized='view') }}

with order_states as (

    select
        -- ids
        ref_key as customer_key,
        *
    from {{ ref('stg_orders') }}

)

select * from order_states
