{{ config(materialized='view') }}

with complaints as (

    select
        -- ids
        feedback_ref,
        customer_key,
        product_ref,

        -- what happened
        posted_at,
        source_type,
        language,
        body,

        -- what it is about
        topic_id,
        topic_name,

        -- lineage
        batch_id
    from {{ ref('feedback_signals') }}
    where {{ is_complaint() }}

)

select * from complaints
