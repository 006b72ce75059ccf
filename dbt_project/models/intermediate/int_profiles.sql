{{ config(materialized='view') }}

with profiles as (

    select
        -- ids
        ref_key as customer_key,
        *
    from {{ ref('stg_customers') }}

)

select * from profiles
