{{ config(meta={'dagster': {'ref': {'name': 'sessions'}}}) }}

-- Every event with a visitor is counted in exactly one session, a person's or a program's.

with visitor_events as (

    select
        visitor_key,
        count(*) as events
    from {{ ref('int_events') }}
    where visitor_key is not null
    group by 1

),

all_sessions as (

    select
        visitor_key,
        events
    from {{ ref('sessions') }}

    union all

    select
        visitor_key,
        events
    from {{ ref('bot_sessions') }}

),

session_events as (

    select
        visitor_key,
        sum(events) as events
    from all_sessions
    group by 1

)

select
    visitor_events.visitor_key as visitor_with_events,
    visitor_events.events as events_of_visitor,
    session_events.visitor_key as visitor_with_sessions,
    session_events.events as events_in_sessions
from visitor_events
full join session_events on visitor_events.visitor_key = session_events.visitor_key
where
    visitor_events.events is distinct from session_events.events
    and {{ no_later_batch([ref('stg_events')]) }}
