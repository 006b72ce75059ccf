{{ config(materialized='table', tags=['training']) }}

-- Up to three instants of each past session, so that long ones do not dominate: after a random
-- event a random wait of up to the pause that ends a session, half of the waits below 3 % of it, as
-- scores are wanted soon after an event. An instant at which the next event has already come is
-- left out, as the session is not in that state then.

{%- set first_at = as_of() ~ ' - interval ' ~ (var('intent_history_days') | int) ~ ' day' %}
{%- set gap_seconds = var('session_gap_minutes') | int * 60 %}

with every_session as (

    select
        session_id,
        visitor_key,
        started_at,
        ended_at,
        count(*) over () as sessions
    from {{ ref('int_sessions') }}
    where
        started_at >= {{ first_at }}
        and ended_at < {{ as_of() }} - {{ session_gap() }}
        and channel_group not in ('store', 'call')
        and not is_bot

),

sessions as (

    select * from every_session
    where {{ seeded_share('visitor_key') }} * sessions < {{ var('intent_most_sessions') | int }}

),

{{ events_of_sessions(first_at) }},

numbered_events as (

    select
        *,
        row_number() over in_order as event_number,
        lead(occurred_at) over in_order as next_at,
        count(*) over (partition by session_id) as events
    from session_events
    window in_order as (partition by session_id order by occurred_at, event_id)

),

draws as (

    select 1 as draw
    union all
    select 2 as draw
    union all
    select 3 as draw

),

drawn_points as (

    select
        sessions.session_id,
        draws.draw,
        {{ seeded_share("sessions.session_id || ' event ' || draws.draw") }} as share_of_events,
        cast(
            {{ gap_seconds }}
            * power({{ seeded_share("sessions.session_id || ' wait ' || draws.draw") }}, 5)
            as integer
        ) as idle_seconds
    from sessions
    cross join draws

),

points as (

    select
        drawn.session_id || ' ' || drawn.draw as point_id,
        newest.session_id,
        newest.visitor_key,
        newest.anonymous_key as device_key,
        newest.occurred_at + drawn.idle_seconds * interval 1 second as observed_at,
        newest.ref_key is not null
        or coalesce(
            newest.linked_at <= newest.occurred_at + drawn.idle_seconds * interval 1 second, false
        ) as is_known
    from drawn_points as drawn
    inner join numbered_events as newest
        on
            drawn.session_id = newest.session_id
            and newest.event_number = 1 + floor(drawn.share_of_events * newest.events)
    where
        newest.next_at is null
        or newest.next_at > newest.occurred_at + drawn.idle_seconds * interval 1 second

),

features as (

    {{ session_features('points', 'session_events', 'device_days') | indent(4) }}

),

last_orders as (

    select
        session_id,
        max(occurred_at) as ordered_at
    from session_events
    where event_type = 'order_completed'
    group by 1

),

final as (

    select
        -- ids
        points.point_id,
        points.session_id,
        points.visitor_key,

        -- the instant
        points.observed_at,

        -- label
        cast(coalesce(orders.ordered_at > points.observed_at, false) as double) as label,

        -- features
        {%- for name in session_feature_names() %}
        features.{{ name }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from points
    inner join features on points.point_id = features.point_id
    left join last_orders as orders on points.session_id = orders.session_id

)

select * from final
order by observed_at, point_id
