{{ config(materialized='table', tags=['training']) }}

-- At the instants whose next 30 days are known; of so many rows that training can bear, those of
-- some customers, the same at every run.

with instants as (

    select
        as_of,
        horizon_days,
        max(population_days) as population_days
    from {{ source('ops', 'as_of_dates') }}
    where outcome = 'purchase' and horizon_days = 30
    group by 1, 2

),

buyers as (

    select
        features.customer_key,
        features.as_of,
        count(*) over () as rows_of_all
    from instants
    inner join {{ ref('customer_feature_history') }} as features on instants.as_of = features.as_of
    where features.days_since_last_order < instants.population_days

),

drawn_buyers as (

    select
        customer_key,
        as_of
    from buyers
    where
        {{ seeded_share('customer_key') }} * rows_of_all
        < {{ var('category_most_customers') | int }}

),

features as (

    {{ category_features('drawn_buyers') | indent(4) }}

),

bought as (

    select distinct
        features.customer_key,
        features.category,
        features.as_of
    from features
    inner join instants on features.as_of = instants.as_of
    inner join {{ ref('int_category_days') }} as days
        on
            features.customer_key = days.customer_key
            and features.category = days.category
    where
        days.last_at >= features.as_of
        and {{ days_between('features.as_of', 'days.last_at') }} < instants.horizon_days

),

final as (

    select
        features.*,

        -- label
        cast(case when bought.customer_key is null then 0 else 1 end as double) as label
    from features
    left join bought
        on
            features.customer_key = bought.customer_key
            and features.category = bought.category
            and features.as_of = bought.as_of

)

select * from final
order by as_of, customer_key, category
