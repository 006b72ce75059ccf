{{ config(materialized='table', tags=['journeys']) }}

{%- set reach = var('journey_anchor_steps') %}

with journey_steps as (

    select
        customer_key,
        {%- for place in range(1, reach + 1) %}
        lag(step, {{ place }}) over journey as before_{{ place }},
        lead(step, {{ place }}) over journey as after_{{ place }},
        {%- endfor %}
        step
    from {{ ref('journey_steps') }}
    window journey as (
        partition by customer_key
        order by step_number
    )

),

anchors as (

    select * from journey_steps
    where step = '{{ var('journey_anchor_event') }}'

),

paths as (

    select
        'before' as direction,
        customer_key,
        concat_ws(
            ' > ',
            {%- for place in range(reach, 1, -1) %}
            before_{{ place }},
            {%- endfor %}
            before_1
        ) as path
    from anchors

    union all

    select
        'after' as direction,
        customer_key,
        concat_ws(
            ' > ',
            {%- for place in range(1, reach) %}
            after_{{ place }},
            {%- endfor %}
            after_{{ reach }}
        ) as path
    from anchors

),

counted as (

    select
        direction,
        case when path = '' then '(nothing)' else path end as path,
        count(*) as occurrences,
        count(distinct customer_key) as customers
    from paths
    group by 1, 2

),

ranked as (

    select
        *,
        occurrences / sum(occurrences) over (partition by direction) as occurrence_share,
        row_number() over (
            partition by direction
            order by customers desc, occurrences desc, path asc
        ) as path_rank
    from counted

),

final as (

    select
        -- ids
        '{{ var('journey_anchor_event') }}' as anchor_event,
        direction,
        path_rank,
        path,

        -- measures
        occurrences,
        occurrence_share,
        customers
    from ranked
    where path_rank <= 1000

)

select * from final
order by direction, path_rank
