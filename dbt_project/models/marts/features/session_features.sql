{{ config(materialized='view') }}

{%- set first_at = "(select min(open.started_at) from sessions as open)" %}

-- Sessions that a next event would still extend, as of the clock. Computed when it is read.

-- one that has had its order has no features: its events, the most of all, need not be read
with due_sessions as (

    select * from {{ ref('open_sessions') }}
    where
        is_due
        and orders_completed = 0

),

sessions as (

    select * from {{ few_rows('due_sessions') }}

),

-- few of all events are theirs: they are found by identifier before it is asked whose they are
identifiers as (

    select identifier_key
    from {{ ref('identity_map') }}
    where
        is_owner
        and customer_key in (select open.visitor_key from sessions as open)

    union all

    select visitor_key as identifier_key
    from sessions

),

events_of_identifiers as (

    select * from {{ ref('stg_events') }}
    where
        occurred_at >= {{ first_at }}
        and coalesce(ref_key, anonymous_key) in (
            select identifiers.identifier_key from identifiers
        )

),

their_events as (

    {{ recognised_events('events_of_identifiers') | indent(4) }}

),

{{ events_of_sessions(first_at, 'their_events') }},

-- a session ends with its newest event: of that instant there are few to rank
ranked_events as (

    select
        events.session_id,
        events.anonymous_key,
        events.ref_key,
        events.linked_at,
        row_number() over (
            partition by events.session_id
            order by events.event_id desc
        ) as place
    from session_events as events
    inner join sessions
        on events.session_id = sessions.session_id and events.occurred_at = sessions.ended_at

),

points as (

    select
        sessions.session_id as point_id,
        sessions.session_id,
        sessions.visitor_key,
        newest.anonymous_key as device_key,
        sessions.as_of as observed_at,
        newest.ref_key is not null or coalesce(newest.linked_at <= sessions.as_of, false)
            as is_known
    from sessions
    inner join ranked_events as newest on sessions.session_id = newest.session_id
    where newest.place = 1

),

features as (

    {{ session_features('points', 'session_events', 'device_days') | indent(4) }}

),

final as (

    select
        -- ids
        sessions.session_id,
        sessions.visitor_key,
        sessions.customer_key,

        -- times
        sessions.started_at,
        sessions.as_of,

        -- features
        {%- for name in session_feature_names() %}
        features.{{ name }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from sessions
    inner join features on sessions.session_id = features.point_id

)

select * from final
