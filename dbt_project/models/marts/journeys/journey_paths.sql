{{ config(materialized='table', tags=['journeys']) }}

-- Paths of sessions lead up to the first order of the session, so that paths with and without an
-- order compare. Paths before a step are the last steps of the whole journey before it.

{%- set longest = var('journey_path_steps') %}
{%- set before = var('journey_path_lookback') %}

with session_steps as (

    select
        customer_key,
        session_id,
        step_number,
        step,
        min(case when step = 'order_completed' then step_number end) over (
            partition by session_id
        ) as order_step_number,
        lag(step) over (
            partition by session_id
            order by step_number
        ) as previous_step
    from {{ ref('journey_steps') }}
    where session_id is not null

),

session_changes as (

    select
        customer_key,
        session_id,
        step,
        order_step_number is not null as is_conversion,
        row_number() over (
            partition by session_id
            order by step_number
        ) as place
    from session_steps
    where
        step_number < coalesce(order_step_number, step_number + 1)
        and step is distinct from previous_step

),

session_paths as (

    select
        'session' as path_type,
        max(customer_key) as customer_key,
        {{ joined_text('step', 'place') }} as path,
        count(*) as steps,
        bool_or(is_conversion) as is_conversion
    from session_changes
    where place <= {{ longest }}
    group by session_id

),

journey_steps as (

    select
        customer_key,
        {%- for place in range(before, 0, -1) %}
        lag(step, {{ place }}) over journey as step_{{ place }}_before,
        {%- endfor %}
        step
    from {{ ref('journey_steps') }}
    window journey as (
        partition by customer_key
        order by step_number
    )

),

journey_changes as (

    select
        customer_key,
        step_{{ before }}_before as change_{{ before }},
        {%- for place in range(before - 1, 0, -1) %}
        nullif(step_{{ place }}_before, step_{{ place + 1 }}_before) as change_{{ place }},
        {%- endfor %}
        step = 'order_completed' as is_conversion
    from journey_steps
    where step_{{ before }}_before is not null

),

journey_paths as (

    select
        'last_steps' as path_type,
        customer_key,
        concat_ws(
            ' > ',
            {%- for place in range(before, 1, -1) %}
            change_{{ place }},
            {%- endfor %}
            change_1
        ) as path,
        {%- for place in range(before, 1, -1) %}
        case when change_{{ place }} is null then 0 else 1 end +
        {%- endfor %}
        case when change_1 is null then 0 else 1 end as steps,
        is_conversion
    from journey_changes

),

all_paths as (

    select * from session_paths
    union all
    select * from journey_paths

),

customers as (

    select
        path_type,
        count(distinct customer_key) as customers
    from all_paths
    group by 1

),

counted as (

    select
        path_type,
        path,
        max(steps) as steps,
        count(*) as occurrences,
        count(distinct customer_key) as customers,
        count(*) filter (where is_conversion) as conversions
    from all_paths
    group by 1, 2

),

ranked as (

    select
        *,
        row_number() over (
            partition by path_type
            order by customers desc, occurrences desc, path asc
        ) as path_rank
    from counted

),

final as (

    select
        -- ids
        ranked.path_type,
        ranked.path_rank,
        ranked.path,

        -- measures
        cast(ranked.steps as bigint) as steps,
        ranked.occurrences,
        ranked.customers,
        ranked.customers / customers.customers as customer_share,
        ranked.conversions,
        ranked.conversions / ranked.occurrences as conversion_rate
    from ranked
    inner join customers on ranked.path_type = customers.path_type
    where ranked.path_rank <= 1000

)

select * from final
order by path_type, path_rank
