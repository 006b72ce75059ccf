{{ config(materialized='view') }}

with messages as (

    select
        -- ids
        ref_key as customer_key,
        *
    from {{ ref('stg_messages') }}

)

select * from messages
