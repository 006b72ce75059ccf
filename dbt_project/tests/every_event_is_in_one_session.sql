{{ config(meta={'dagster': {'ref': {'name': 'sessions'}}}) }}

-- Every event with a visitor is counted in exactly one session.

with visitor_events as (

    select count(*) as events
    from {{ ref('stg_events') }}
    where coalesce(ref_key, anonymous_key) is not null

),

session_events as (

    select coalesce(sum(events), 0) as events
    from {{ ref('sessions') }}

)

select
    visitor_events.events as events_with_visitor,
    session_events.events as events_in_sessions
from visitor_events
cross join session_events
where
    visitor_events.events <> session_events.events
    and {{ no_later_batch([ref('stg_events')]) }}
