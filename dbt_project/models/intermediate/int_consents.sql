{{ config(materialized='view') }}

with consents as (

    select
        -- ids
        coalesce(owners.customer_key, consents.ref_key) as customer_key,
        consents.*
    from {{ ref('stg_consents') }} as consents
    left join {{ ref('identity_map') }} as owners on consents.ref_key = owners.identifier_key

)

select * from consents
