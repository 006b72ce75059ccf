{{ config(materialized='table', tags=['training']) }}

-- Everyone who did something in the population window before each past instant.

with instants as (

    select
        as_of,
        max(population_days) as population_days
    from {{ source('ops', 'as_of_dates') }}
    group by 1

),

spine as (

    select distinct
        days.customer_key,
        instants.as_of
    from instants
    inner join {{ ref('int_customer_days') }} as days
        on
            instants.as_of > days.last_at
            and {{ days_between('days.last_at', 'instants.as_of') }} < instants.population_days
    where days.events > 0 or days.orders > 0

),

features as (

    {{ customer_features('spine') | indent(4) }}

)

select * from features
order by as_of, customer_key
