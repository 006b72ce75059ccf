{{ config(materialized='table', tags=['journeys']) }}

{%- set units = ['week', 'month'] %}

with orders as (

    select
        customer_key,
        cast(occurred_at as date) as order_date,
        coalesce(value, 0) as revenue
    from {{ ref('journey_steps') }}
    where step = 'order_completed'

),

customers as (

    select
        customer_key,
        min(order_date) as first_order_date
    from orders
    group by 1

),

order_periods as (

    {% for unit in units %}
    select
        '{{ unit }}' as cohort_unit,
        cast(date_trunc('{{ unit }}', customers.first_order_date) as date) as cohort_start,
        cast(date_trunc('{{ unit }}', orders.order_date) as date) as period_start,
        orders.customer_key,
        orders.revenue
    from orders
    inner join customers on orders.customer_key = customers.customer_key
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

cohorts as (

    select
        cohort_unit,
        cohort_start,
        count(distinct customer_key) as customers
    from order_periods
    where cohort_start = period_start
    group by 1, 2

),

periods as (

    select distinct
        cohort_unit,
        period_start
    from order_periods

),

-- also the periods in which nobody of a cohort ordered
cohort_periods as (

    select
        cohorts.cohort_unit,
        cohorts.cohort_start,
        cohorts.customers,
        periods.period_start
    from cohorts
    inner join periods
        on
            cohorts.cohort_unit = periods.cohort_unit
            and cohorts.cohort_start <= periods.period_start

),

retained as (

    select
        cohort_unit,
        cohort_start,
        period_start,
        count(distinct customer_key) as customers,
        sum(revenue) as revenue
    from order_periods
    group by 1, 2, 3

),

with_period_ends as (

    select
        cohort_periods.cohort_unit,
        cohort_periods.cohort_start,
        cohort_periods.period_start,
        cohort_periods.customers,
        coalesce(retained.customers, 0) as retained,
        coalesce(retained.revenue, 0) as revenue,
        case cohort_periods.cohort_unit
            {%- for unit in units %}
            when '{{ unit }}' then cohort_periods.period_start + interval 1 {{ unit }}
            {%- endfor %}
        end as period_end
    from cohort_periods
    left join retained
        on
            cohort_periods.cohort_unit = retained.cohort_unit
            and cohort_periods.cohort_start = retained.cohort_start
            and cohort_periods.period_start = retained.period_start

),

final as (

    select
        -- ids
        cohort_unit,
        cohort_start,
        cast(case cohort_unit
            when 'week' then round({{ days_between(
                'cast(cohort_start as timestamp)', 'cast(period_start as timestamp)'
            ) }} / 7)
            else
                12 * (extract(year from period_start) - extract(year from cohort_start))
                + extract(month from period_start) - extract(month from cohort_start)
        end as integer) as period_number,
        period_start,

        -- measures
        customers,
        retained,
        retained / customers as retained_share,
        revenue,
        cast(period_end as timestamp) <= {{ as_of() }} as is_complete
    from with_period_ends

)

select * from final
order by cohort_unit, cohort_start, period_number
