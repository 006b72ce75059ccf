{{ config(materialized='table', tags=['training']) }}

-- What each customer of the population did in the horizon after each past instant.

with tasks as (

    select
        task,
        as_of,
        horizon_days,
        population_days,
        outcome,
        population as population_kind
    from {{ source('ops', 'as_of_dates') }}

),

population as (

    select
        features.customer_key,
        tasks.task,
        tasks.as_of,
        tasks.horizon_days,
        tasks.outcome
    from tasks
    inner join {{ ref('customer_feature_history') }} as features on tasks.as_of = features.as_of
    where
        features.days_since_last_order < tasks.population_days
        or (
            tasks.population_kind = 'active'
            and features.days_since_last_event < tasks.population_days
        )

),

order_days as (

    select
        customer_key,
        last_at,
        orders,
        revenue
    from {{ ref('int_customer_days') }}
    where orders > 0

),

active_days as (

    select
        customer_key,
        last_at
    from {{ ref('int_customer_days') }}
    where events > 0 or orders > 0

),

purchases as (

    select
        population.customer_key,
        population.task,
        population.as_of,
        sum(days.orders) as orders_after,
        sum(days.revenue) as revenue_after
    from population
    inner join order_days as days on population.customer_key = days.customer_key
    where
        days.last_at >= population.as_of
        and {{ days_between('population.as_of', 'days.last_at') }} < population.horizon_days
    group by 1, 2, 3

),

activity as (

    select distinct
        population.customer_key,
        population.task,
        population.as_of
    from population
    inner join active_days as days on population.customer_key = days.customer_key
    where
        population.outcome = 'no activity'
        and days.last_at >= population.as_of
        and {{ days_between('population.as_of', 'days.last_at') }} < population.horizon_days

),

outcomes as (

    select
        population.*,
        coalesce(purchases.orders_after, 0) as orders_after,
        coalesce(purchases.revenue_after, 0) as revenue_after,
        activity.customer_key is not null as is_active_after
    from population
    left join purchases
        on
            population.customer_key = purchases.customer_key
            and population.task = purchases.task
            and population.as_of = purchases.as_of
    left join activity
        on
            population.customer_key = activity.customer_key
            and population.task = activity.task
            and population.as_of = activity.as_of

),

final as (

    select
        -- ids
        customer_key,
        task,
        as_of,

        -- label
        horizon_days,
        case outcome
            when 'no purchase' then case when orders_after > 0 then 0.0 else 1.0 end
            when 'purchase' then case when orders_after > 0 then 1.0 else 0.0 end
            when 'spend' then revenue_after
            when 'no activity' then case when is_active_after then 0.0 else 1.0 end
        end as label
    from outcomes

)

select * from final
order by task, as_of, customer_key
