{{ config(tags=['journeys'], meta={'dagster': {'ref': {'name': 'int_attribution_rules'}}}) }}

-- Each rule hands out the orders of each day and their value, no more and no less.

with orders as (

    select
        conversion_date,
        count(*) as conversions,
        sum(value) as value
    from {{ ref('attribution_paths') }}
    where conversions = 1
    group by 1

),

credits as (

    select
        model,
        conversion_date,
        sum(conversions) as conversions,
        sum(value) as value
    from {{ ref('int_attribution_rules') }}
    group by 1, 2

),

rules as (

    select distinct model
    from credits

),

expected as (

    select
        rules.model,
        orders.*
    from rules
    cross join orders

)

select
    expected.model,
    expected.conversion_date,
    expected.conversions,
    credits.conversions as conversions_credited,
    expected.value,
    credits.value as value_credited
from expected
left join credits
    on
        expected.model = credits.model
        and expected.conversion_date = credits.conversion_date
where
    credits.model is null
    or abs(expected.conversions - credits.conversions) > 1e-9
    or abs(expected.value - credits.value)
    > 1e-9 * (1 + abs(expected.value))
