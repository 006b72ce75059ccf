{{ config(materialized='view') }}

with profiles as (

    select
        -- ids
        coalesce(owners.customer_key, profiles.ref_key) as customer_key,
        profiles.*
    from {{ ref('stg_customers') }} as profiles
    left join {{ ref('identity_map') }} as owners on profiles.ref_key = owners.identifier_key

)

select * from profiles
