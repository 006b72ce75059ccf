{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='feedback_ref',
    on_schema_change='fail'
) }}

{%- set identity_map = ref('identity_map') %}
{%- set readings = source('ops', 'text_readings') %}
{%- do left_out_where(
    no_text_changed()
    ~ " and not exists (select 1 from " ~ this ~ " as known inner join " ~ identity_map
    ~ " as owners on known.ref_key = owners.identifier_key where "
    ~ in_this_run('owners.changed_batch_id') ~ ")"
) %}

{% if is_incremental() %}
{%- set first_batch_id = clock_row()['first_batch_id'] %}
with changed_refs as (

    -- other owners
    select feedback_ref
    from {{ this }}
    where
        ref_key in (
            select changed.identifier_key
            from {{ identity_map }} as changed
            where {{ in_this_run('changed.changed_batch_id') }}
        )

    union

    -- masked anew
    select feedback_ref
    from {{ ref('stg_feedback') }}
    where masked_batch_id >= {{ first_batch_id }}

    union

    -- read anew; what an earlier run has taken over already is left out
    select known.feedback_ref
    from {{ this }} as known
    inner join {{ readings }} as read_anew on known.content_hash = read_anew.content_hash
    where
        read_anew.changed_batch_id >= {{ first_batch_id }}
        and read_anew.reader is distinct from known.reader

),

feedback as (

    select *
    from {{ ref('stg_feedback') }}
    where {{ in_this_run() }}

    union all

    select *
    from {{ ref('stg_feedback') }}
    where
        not ({{ in_this_run() }})
        and feedback_ref in (select changed_refs.feedback_ref from changed_refs)

),
{% else %}
with feedback as (

    select * from {{ ref('stg_feedback') }}

),
{% endif %}

final as (

    select
        -- ids
        feedback.feedback_ref,
        coalesce(owners.customer_key, feedback.ref_key) as customer_key,
        feedback.ref_key,
        feedback.product_ref,

        -- what happened
        feedback.posted_at,
        feedback.source_type,
        feedback.rating,
        coalesce(nullif(readings.language, 'und'), feedback.language, 'und') as language,
        feedback.body,
        feedback.content_hash,
        feedback.body_length,

        -- mood
        readings.sentiment,
        readings.sentiment_score,
        readings.sentiment_confidence,
        readings.sentiment_words,
        readings.aspects,

        -- what it asks for
        readings.intent,
        readings.intent_confidence,
        readings.urgency,
        readings.threatens_to_leave,

        -- what it is about
        readings.topic_id,
        readings.topic_name,
        readings.taxonomy,

        -- lineage
        case when readings.content_hash is null then 'not_read_yet' else readings.unread_reason end
            as unread_reason,
        readings.reader,
        feedback.batch_id
    from feedback
    left join {{ identity_map }} as owners on feedback.ref_key = owners.identifier_key
    left join {{ readings }} as readings on feedback.content_hash = readings.content_hash

)

select * from final
order by posted_at, feedback_ref
