{{ config(materialized='view') }}

with messages as (

    select
        -- ids
        coalesce(owners.customer_key, messages.ref_key) as customer_key,
        messages.*
    from {{ ref('stg_messages') }} as messages
    left join {{ ref('identity_map') }} as owners on messages.ref_key = owners.identifier_key

)

select * from messages
