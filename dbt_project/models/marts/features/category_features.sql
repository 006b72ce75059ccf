{{ config(materialized='view') }}

-- Of those who bought within the population's window; computed when it is read, as of the clock.

with population as (

    select max(population_days) as population_days
    from {{ source('ops', 'as_of_dates') }}
    where outcome = 'purchase' and horizon_days = 30

),

buyers as (

    select
        features.customer_key,
        clock.as_of
    from {{ ref('customer_features') }} as features
    cross join population
    cross join {{ source('ops', 'clock') }} as clock
    where features.days_since_last_order < population.population_days

),

features as (

    {{ category_features('buyers') | indent(4) }}

)

select * from features
