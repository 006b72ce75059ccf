{{ config(materialized='view') }}

with feedback as (

    select
        -- ids
        ref_key as customer_key,
        *
    from {{ ref('stg_feedback') }}

)

select * from feedback
