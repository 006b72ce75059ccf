{{ config(materialized='table', tags=['journeys']) }}

{#- the weight of a touch within its journey; weights of a journey are brought to a sum of 1 -#}
{%- set half_life = var('attribution_half_life_days') %}
{%- set weights = {
    'first': 'case when touch_number = 1 then 1.0 else 0.0 end',
    'last': 'case when touch_number = touches then 1.0 else 0.0 end',
    'linear': '1.0',
    'time_decay': 'power(0.5, (' ~ days_between('touched_at', 'ended_at') ~ ') / ' ~ half_life ~ ')',
    'position_based':
        'case when touches <= 2 then 1.0 when touch_number in (1, touches) then 0.4 '
        ~ 'else 0.2 / (touches - 2) end',
} %}

with weighted as (

    {% for model, weight in weights.items() %}
    select
        '{{ model }}' as model,
        journey_id,
        conversion_date,
        channel_group,
        campaign_ref,
        value,
        {{ weight }} as weight
    from {{ ref('int_attribution_touches') }}
    where conversions = 1
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

credited as (

    select
        model,
        conversion_date,
        channel_group,
        campaign_ref,
        value,
        weight / sum(weight) over (partition by model, journey_id) as credit
    from weighted

),

final as (

    select
        -- ids
        model,
        conversion_date,
        channel_group,
        campaign_ref,

        -- measures
        sum(credit) as conversions,
        sum(credit * value) as value
    from credited
    where credit > 0
    group by 1, 2, 3, 4

)

select * from final
order by model, conversion_date, channel_group, campaign_ref
