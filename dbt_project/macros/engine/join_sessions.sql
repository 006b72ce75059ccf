{#
    Join of `events` to the one session that each is part of: sessions of a visitor do not overlap.
    Looked up by visitor and day, so that an event is compared with few sessions, however many its
    visitor has.
#}
{% macro join_sessions() -%}
    {{ return(adapter.dispatch('join_sessions', 'shoal')()) }}
{%- endmacro %}

{% macro default__join_sessions() -%}
    inner join sessions
        on
            events.visitor_key = sessions.visitor_key
            and events.occurred_at between sessions.started_at and sessions.ended_at
{%- endmacro %}

{% macro duckdb__join_sessions() -%}
    inner join (
        select
            *,
            unnest(
                generate_series(
                    cast(cast(started_at as date) as timestamp), ended_at, interval 1 day
                )
            ) as seen_day
        from sessions
    ) as sessions
        on
            events.visitor_key = sessions.visitor_key
            and cast(cast(events.occurred_at as date) as timestamp) = sessions.seen_day
            and events.occurred_at between sessions.started_at and sessions.ended_at
{%- endmacro %}
