{{ config(materialized='view') }}

with feedback as (

    select
        -- ids
        coalesce(owners.customer_key, feedback.ref_key) as customer_key,
        feedback.*
    from {{ ref('stg_feedback') }} as feedback
    left join {{ ref('identity_map') }} as owners on feedback.ref_key = owners.identifier_key

)

select * from feedback
