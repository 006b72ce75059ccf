{{ config(materialized='table', tags=['journeys']) }}

with moves as (

    select
        moves.from_step,
        moves.to_step,
        moves.wait_hours,
        coalesce(segments.segment_name, 'none') as segment_name
    from {{ ref('int_journey_moves') }} as moves
    left join {{ source('marts', 'customer_segments') }} as segments
        on moves.customer_key = segments.customer_key
    where moves.level = 'step'

),

transitions as (

    select
        segment_name,
        from_step,
        to_step,
        count(*) as transitions,
        median(wait_hours) as median_wait_hours
    from moves
    where to_step <> '(end)'
    group by 1, 2, 3

),

steps as (

    select
        segment_name,
        from_step,
        count(*) as occurrences,
        count(*) filter (where to_step = '(end)') as drop_offs,
        count(*) filter (where to_step = '(end)') / count(*) as drop_off_share
    from moves
    group by 1, 2

),

segment_waits as (

    select
        segment_name,
        median(wait_hours) as median_wait_hours
    from moves
    group by 1

),

segment_drop_offs as (

    select
        segment_name,
        median(drop_off_share) as median_drop_off_share
    from steps
    group by 1

),

final as (

    select
        -- ids
        transitions.segment_name,
        transitions.from_step,
        transitions.to_step,

        -- waiting
        transitions.transitions,
        transitions.median_wait_hours,
        segment_waits.median_wait_hours as segment_median_wait_hours,
        transitions.median_wait_hours / nullif(segment_waits.median_wait_hours, 0) as wait_ratio,

        -- leaving
        steps.drop_offs,
        steps.drop_off_share,
        segment_drop_offs.median_drop_off_share as segment_median_drop_off_share,
        steps.drop_off_share
        / nullif(segment_drop_offs.median_drop_off_share, 0) as drop_off_ratio
    from transitions
    inner join steps
        on
            transitions.segment_name = steps.segment_name
            and transitions.from_step = steps.from_step
    inner join segment_waits on transitions.segment_name = segment_waits.segment_name
    inner join segment_drop_offs on transitions.segment_name = segment_drop_offs.segment_name

)

select * from final
order by segment_name asc, wait_ratio desc nulls last, from_step asc, to_step asc
