{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='posted_hour',
    on_schema_change='fail'
) }}

{%- set mentions_relation = source('ops', 'text_mentions') %}
{%- set masked_texts = source('ops', 'masked_texts') %}
{%- set readings = source('ops', 'text_readings') %}
{%- set terms = source('ops', 'listening_terms') %}
{%- set signals = ref('feedback_signals') %}
{%- do left_out_where(
    no_text_changed()
    ~ " and not exists (select 1 from " ~ this
    ~ " where terms_version not in (select terms_version from " ~ terms ~ "))"
) %}

{% if is_incremental() %}
{%- set first_batch_id = clock_row()['first_batch_id'] %}
with touched_hours as (

    select date_trunc('hour', posted_at) as posted_hour
    from {{ signals }}
    where
        {{ in_this_run() }}
        or feedback_ref in (
            select masked.feedback_ref
            from {{ masked_texts }} as masked
            where masked.changed_batch_id >= {{ first_batch_id }}
        )
        or content_hash in (
            select changed.content_hash
            from {{ readings }} as changed
            where changed.changed_batch_id >= {{ first_batch_id }}
        )
        or content_hash in (
            select changed.content_hash
            from {{ mentions_relation }} as changed
            where changed.changed_batch_id >= {{ first_batch_id }}
        )

    union

    -- mentions of names that are listened for no more, or were written in other ways
    select posted_hour
    from {{ this }}
    where terms_version not in (select known.terms_version from {{ terms }} as known)

),

signals as (

    select *
    from {{ signals }}
    where
        date_trunc('hour', posted_at) in (
            select touched.posted_hour
            from touched_hours as touched
        )

),
{% else %}
with signals as (

    select * from {{ signals }}

),
{% endif %}

voices as (

    select
        content_hash,
        term_group,
        name,
        terms_version
    from {{ mentions_relation }}

),

said as (

    select
        date_trunc('hour', posted_at) as posted_hour,
        source_type,
        sentiment,
        sentiment_score,
        {{ is_complaint() }} as is_complaint,
        threatens_to_leave,
        '' as term_group,
        '' as name,
        cast(null as varchar) as terms_version
    from signals

    union all

    select
        date_trunc('hour', signals.posted_at) as posted_hour,
        signals.source_type,
        signals.sentiment,
        signals.sentiment_score,
        {{ is_complaint() }} as is_complaint,
        signals.threatens_to_leave,
        voices.term_group,
        voices.name,
        voices.terms_version
    from signals
    inner join voices on signals.content_hash = voices.content_hash

),

final as (

    select
        -- grain
        posted_hour,
        coalesce(source_type, 'unknown') as source_type,
        term_group,
        name,

        -- volume
        count(*) as texts,
        count(sentiment) as texts_with_mood,
        count(*) filter (where sentiment = 'positive') as positive_texts,
        count(*) filter (where sentiment = 'negative') as negative_texts,
        count(*) filter (where is_complaint) as complaints,
        count(*) filter (where threatens_to_leave) as threats_to_leave,

        -- mood: a sum of decimals, which is the same in any order
        cast(sum(cast(sentiment_score as decimal(9, 6))) as double) as sentiment_sum,
        cast(avg(cast(sentiment_score as decimal(9, 6))) as double) as sentiment_mean,

        -- lineage
        max(terms_version) as terms_version
    from said
    group by 1, 2, 3, 4

)

select * from final
order by posted_hour, source_type, term_group, name
