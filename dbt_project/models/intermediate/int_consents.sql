{{ config(materialized='view') }}

with consents as (

    select
        -- ids
        ref_key as customer_key,
        *
    from {{ ref('stg_consents') }}

)

select * from consents
