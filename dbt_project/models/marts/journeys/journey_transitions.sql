{{ config(materialized='table', tags=['journeys']) }}

with counted as (

    select
        level,
        from_step,
        to_step,
        count(*) as transitions,
        count(distinct customer_key) as customers,
        median(wait_hours) as median_wait_hours,
        avg(wait_hours) as mean_wait_hours
    from {{ ref('int_journey_moves') }}
    group by 1, 2, 3

),

final as (

    select
        -- ids
        level,
        from_step,
        to_step,

        -- measures
        transitions,
        customers,
        transitions / sum(transitions) over from_here as probability,
        median_wait_hours,
        mean_wait_hours,
        cast(
            sum(case when to_step = '(end)' then transitions else 0 end) over from_here as bigint
        ) as drop_offs
    from counted
    window from_here as (partition by level, from_step)

)

select * from final
order by level asc, from_step asc, transitions desc, to_step asc
