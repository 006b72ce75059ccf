{{ config(materialized='view') }}

-- Computed when it is read. A reader that has scored before names the clock of that time: what
-- has happened in a session since is in the visitors that were touched, and a session where
-- nothing happens is due again every five minutes, since waiting says something too.

with clock as (

    select as_of from {{ source('ops', 'clock') }}

),

final as (

    select
        -- ids
        sessions.session_id,
        sessions.visitor_key,
        sessions.customer_key,

        -- times
        sessions.started_at,
        sessions.ended_at,
        clock.as_of,

        -- measures
        sessions.orders_completed,

        -- for readers
        {{ reader_setting('shoal_scored_at') }} is null
        or sessions.visitor_key in (
            select touched.visitor_key
            from {{ ref('int_touched_visitors') }} as touched
        )
        or floor({{ seconds_between('sessions.ended_at', 'clock.as_of') }} / 300)
        > floor(
            {{ seconds_between(
                'sessions.ended_at',
                'cast(' ~ reader_setting('shoal_scored_at') ~ ' as timestamp)',
            ) }} / 300
        ) as is_due
    from {{ ref('int_sessions') }} as sessions
    cross join clock
    where
        sessions.ended_at <= clock.as_of
        and sessions.ended_at >= clock.as_of - {{ session_gap() }}
        and sessions.channel_group not in ('store', 'call')
        and not sessions.is_bot

)

select * from final
