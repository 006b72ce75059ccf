{#
    Where an incremental model starts to read: days as literals, so that the engine skips older
    files by their statistics. The `ref`s stand outside of the conditions, so that dbt sees the
    dependency when it parses.
#}

{# Earliest day that any visitor of this run needs anew. #}
{% macro first_touched_day() -%}
    {%- set touched_visitors = ref('int_touched_visitors') -%}
    {{ return(first_day_of(
        "select cast(min(touched_from) as date) from " ~ touched_visitors
    )) }}
{%- endmacro %}

{# Earliest day from which this run computes sessions anew; `known` holds the sessions so far. #}
{% macro first_restart_day(known) -%}
    {%- set touched_visitors = ref('int_touched_visitors') -%}
    {{ return(first_day_of(
        "select cast(min(least(touched.touched_from, known.started_at)) as date) from "
        ~ touched_visitors ~ " as touched left join " ~ known ~ " as known"
        ~ " on touched.visitor_key = known.visitor_key"
        ~ " and known.ended_at >= touched.touched_from - " ~ session_gap()
    )) }}
{%- endmacro %}

{# Earliest day with a new number of any kind: sessions that grew and orders of guests included. #}
{% macro first_changed_day() -%}
    {%- set sessions = ref('int_sessions') -%}
    {%- set orders = ref('stg_orders') -%}
    {%- set lines = ref('stg_order_lines') -%}
    {%- set ordered_day = first_day_of(
        "select cast(min(orders.ordered_at) as date) from " ~ orders ~ " as orders"
        ~ " where orders.order_ref in (select order_ref from " ~ orders
        ~ " where " ~ in_this_run() ~ " union select order_ref from " ~ lines
        ~ " where " ~ in_this_run() ~ ")"
    ) -%}
    {{ return("least(" ~ first_restart_day(sessions) ~ ", " ~ ordered_day ~ ")") }}
{%- endmacro %}

{# The day that a query finds, or the beginning (rebuild) or the end (nothing to do) of time. #}
{% macro first_day_of(query) -%}
    {%- set day = '0001-01-01' -%}
    {%- if execute and is_incremental() -%}
        {%- set day = run_query(query).rows[0][0] or '9999-12-31' -%}
    {%- endif -%}
    {{ return("date '" ~ day ~ "'") }}
{%- endmacro %}

{# The pause of a visitor after which a new session starts. #}
{% macro session_gap() -%}
    interval {{ var('session_gap_minutes') | int }} minute
{%- endmacro %}
