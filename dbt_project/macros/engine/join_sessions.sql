{#
    Join of `events` to the one session that each is part of. Sessions of a visitor do not overlap,
    so it is the last one that began by then: a merge instead of a comparison of every event with
    every session of its visitor.
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
    asof join sessions
        on
            events.visitor_key = sessions.visitor_key
            and events.occurred_at >= sessions.started_at
{%- endmacro %}
