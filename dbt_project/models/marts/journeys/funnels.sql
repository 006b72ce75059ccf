{{ config(materialized='table', tags=['journeys']) }}

-- A visitor enters a funnel on each day with its first step, and has reached a step if any of the
-- entries of the day leads to it: in order and within the window from that entry.

{%- set longest = longest_funnel() %}

with sessions as (

    select
        visitor_key,
        started_at,
        ended_at,
        channel_group,
        is_bot
    from {{ ref('int_sessions') }}
    where not is_bot_agent

),

events as (

    select
        visitor_key,
        customer_key,
        event_id,
        occurred_at,
        event_type
    from {{ ref('int_events') }}
    where
        visitor_key is not null
        and not {{ is_bot_agent('user_agent') }}

),

places as (

    select
        events.visitor_key,
        events.customer_key,
        events.occurred_at,
        events.event_type,
        sessions.channel_group,
        row_number() over (
            partition by events.visitor_key
            order by events.occurred_at, events.event_id
        ) as place
    from events
    {{ join_sessions() | indent(4) }}
    where not sessions.is_bot

),

funnel_steps as (

    select
        funnel,
        step_number,
        step,
        window_hours,
        is_strict
    from {{ ref('funnel_steps') }}

),

step_places as (

    select
        funnel_steps.funnel,
        funnel_steps.step_number,
        funnel_steps.window_hours,
        funnel_steps.is_strict,
        places.visitor_key,
        places.customer_key,
        places.occurred_at,
        places.channel_group,
        places.place
    from places
    inner join funnel_steps on places.event_type = funnel_steps.step

),

reached_1 as (

    select
        funnel,
        visitor_key,
        place as entry_place,
        occurred_at as entered_at,
        window_hours,
        is_strict,
        place,
        occurred_at as reached_at,
        cast(null as double) as wait_hours
    from step_places
    where step_number = 1

),

{% for number in range(2, longest + 1) %}
-- the places where visitors stand, and among them those where the next step can be reached
with_next_{{ number }} as (

    select
        *,
        min(next_place) over ahead as first_next_place,
        min(next_at) over ahead as first_next_at
    from (
        select
            *,
            1 as stands,
            cast(null as bigint) as next_place,
            cast(null as timestamp) as next_at
        from reached_{{ number - 1 }}

        union all

        select
            funnel,
            visitor_key,
            cast(null as bigint) as entry_place,
            cast(null as timestamp) as entered_at,
            window_hours,
            is_strict,
            place,
            cast(null as timestamp) as reached_at,
            cast(null as double) as wait_hours,
            0 as stands,
            place as next_place,
            occurred_at as next_at
        from step_places
        where step_number = {{ number }}
    ) as marks
    window ahead as (
        partition by funnel, visitor_key
        order by place, stands
        rows between 1 following and unbounded following
    )

),

reached_{{ number }} as (

    select
        funnel,
        visitor_key,
        entry_place,
        entered_at,
        window_hours,
        is_strict,
        first_next_place as place,
        first_next_at as reached_at,
        {{ seconds_between('reached_at', 'first_next_at') }} / 3600.0 as wait_hours
    from with_next_{{ number }}
    where
        stands = 1
        and {{ seconds_between('entered_at', 'first_next_at') }} <= window_hours * 3600
        and (not is_strict or first_next_place = place + 1)

),

{% endfor %}

reached as (

    {% for number in range(1, longest + 1) %}
    select
        {{ number }} as step_number,
        funnel,
        visitor_key,
        cast(entered_at as date) as entry_date,
        min_by(wait_hours, entry_place) as wait_hours
    from reached_{{ number }}
    group by 1, 2, 3, 4
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

entry_days as (

    select
        funnel,
        visitor_key,
        cast(occurred_at as date) as entry_date,
        max(customer_key) as customer_key,
        min_by(channel_group, place) as channel_group
    from step_places
    where step_number = 1
    group by 1, 2, 3

),

entries as (

    select
        entry_days.funnel,
        entry_days.visitor_key,
        entry_days.entry_date,
        entry_days.channel_group,
        coalesce(segments.segment_name, 'none') as segment_name
    from entry_days
    left join {{ source('marts', 'customer_segments') }} as segments
        on entry_days.customer_key = segments.customer_key

),

counted as (

    select
        entries.funnel,
        entries.segment_name,
        entries.channel_group,
        entries.entry_date,
        reached.step_number,
        count(*) as visitors,
        median(reached.wait_hours) as median_wait_hours
    from entries
    inner join reached
        on
            entries.funnel = reached.funnel
            and entries.visitor_key = reached.visitor_key
            and entries.entry_date = reached.entry_date
    group by 1, 2, 3, 4, 5

),

every_step as (

    select
        counted.funnel,
        counted.segment_name,
        counted.channel_group,
        counted.entry_date,
        counted.visitors as visitors_entered,
        funnel_steps.step_number,
        funnel_steps.step,
        funnel_steps.window_hours,
        funnel_steps.is_strict
    from counted
    inner join funnel_steps on counted.funnel = funnel_steps.funnel
    where counted.step_number = 1

),

with_visitors as (

    select
        every_step.*,
        coalesce(counted.visitors, 0) as visitors,
        counted.median_wait_hours
    from every_step
    left join counted
        on
            every_step.funnel = counted.funnel
            and every_step.segment_name = counted.segment_name
            and every_step.channel_group = counted.channel_group
            and every_step.entry_date = counted.entry_date
            and every_step.step_number = counted.step_number

),

final as (

    select
        -- ids
        funnel,
        segment_name,
        channel_group,
        entry_date,
        step_number,

        -- definition
        step,
        window_hours,
        is_strict,

        -- measures
        visitors,
        visitors / nullif(
            lag(visitors) over (
                partition by funnel, segment_name, channel_group, entry_date
                order by step_number
            ), 0
        ) as conversion_from_previous,
        visitors / visitors_entered as conversion_from_first,
        median_wait_hours
    from with_visitors

)

select * from final
order by funnel, entry_date, segment_name, channel_group, step_number
