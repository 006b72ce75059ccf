{{ config(materialized='view') }}

with stages as (

    select
        customer_key,
        step_number,
        occurred_at,
        stage,
        lag(stage) over (
            partition by customer_key
            order by step_number
        ) as previous_stage
    from {{ ref('journey_steps') }}

),

places as (

    select
        'step' as level,
        customer_key,
        step_number,
        occurred_at,
        step as place
    from {{ ref('journey_steps') }}

    union all

    select
        'stage' as level,
        customer_key,
        step_number,
        occurred_at,
        stage as place
    from stages
    where previous_stage is distinct from stage

),

moves as (

    select
        -- ids
        customer_key,
        level,
        step_number,

        -- what happened
        place as from_step,
        coalesce(lead(place) over journey, '(end)') as to_step,

        -- measures
        {{ seconds_between('occurred_at', 'lead(occurred_at) over journey') }} / 3600.0
            as wait_hours
    from places
    window journey as (
        partition by customer_key, level
        order by step_number
    )

)

select * from moves
