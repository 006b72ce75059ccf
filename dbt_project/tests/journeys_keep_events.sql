{{ config(meta={'dagster': {'ref': {'name': 'journey_steps'}}}) }}

-- Each customer's journey has exactly the events of the customer's sessions.

with session_events as (

    select
        customer_key,
        sum(events) as events
    from {{ ref('sessions') }}
    where customer_key is not null
    group by 1

),

journey_events as (

    select
        customer_key,
        count(*) as events
    from {{ ref('journey_steps') }}
    where session_id is not null
    group by 1

)

select
    sessions.customer_key as customer_with_sessions,
    sessions.events as events_in_sessions,
    journeys.customer_key as customer_with_journey,
    journeys.events as events_in_journey
from session_events as sessions
full join journey_events as journeys on sessions.customer_key = journeys.customer_key
where sessions.events is distinct from journeys.events
