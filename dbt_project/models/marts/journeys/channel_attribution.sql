{{ config(materialized='view', tags=['attribution']) }}

-- Spend is what messages cost, by the day of sending: a day, group and campaign without an order
-- has a row for its spend.

with credits as (

    {% for relation in [
        ref('int_attribution_rules'), source('marts', 'attribution_models')
    ] %}
    select
        model,
        conversion_date,
        channel_group,
        campaign_ref,
        conversions,
        value
    from {{ relation }}
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

spend as (

    select
        cast(occurred_at as date) as conversion_date,
        channel_group,
        campaign_ref,
        sum(cost) as spend
    from {{ ref('journey_steps') }}
    where cost is not null
    group by 1, 2, 3

),

models as (

    select distinct model
    from credits

),

parts as (

    select
        model,
        conversion_date,
        channel_group,
        campaign_ref,
        conversions,
        value,
        cast(null as double) as spend
    from credits

    union all

    select
        models.model,
        spend.conversion_date,
        spend.channel_group,
        spend.campaign_ref,
        cast(0 as double) as conversions,
        cast(0 as double) as value,
        spend.spend
    from models
    cross join spend

),

final as (

    select
        -- ids
        model,
        conversion_date,
        channel_group,
        campaign_ref,

        -- measures
        sum(conversions) as conversions,
        sum(value) as value,
        sum(spend) as spend
    from parts
    group by 1, 2, 3, 4

)

select * from final
