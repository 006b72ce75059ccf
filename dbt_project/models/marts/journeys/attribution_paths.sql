{{ config(materialized='table', tags=['journeys']) }}

with final as (

    select
        -- ids
        journey_id,
        customer_key,

        -- what happened
        {{ joined_text('channel_group', 'touch_number') }} as channel_groups,
        {{ joined_text("coalesce(campaign_ref, '(none)')", 'touch_number') }} as campaign_refs,
        min(touched_at) as started_at,
        max(ended_at) as ended_at,
        max(conversion_date) as conversion_date,

        -- measures
        count(*) as touches,
        max(conversions) as conversions,
        max(value) as value
    from {{ ref('int_attribution_touches') }}
    group by journey_id, customer_key

)

select * from final
order by ended_at, journey_id
