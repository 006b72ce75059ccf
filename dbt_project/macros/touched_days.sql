{#
    Where an incremental model starts to read: days found before
    (`run_value`), so that the engine skips older files by their statistics. The `ref`s stand outside of the conditions, so that dbt sees the
    dependency when it parses.
#}

{# Earliest day that any visitor of this run needs anew. #}
{% macro first_touched_day() -%}
    {%- set touched_visitors = ref('int_touched_visitors') -%}
    {{ return(first_day_of(
        'first_touched_day', "select cast(min(touched_from) as date) from " ~ touched_visitors
    )) }}
{%- endmacro %}

{# Earliest day from which this run computes sessions anew. #}
{% macro first_restart_day() -%}
    {%- set touched_visitors = ref('int_touched_visitors') -%}
    {{ return(first_day_of(
        'first_restart_day', "select cast(min(sessions_from) as date) from " ~ touched_visitors
    )) }}
{%- endmacro %}

{# Earliest day with a new number of any kind: sessions that grew and orders of guests included. #}
{% macro first_changed_day() -%}
    {%- set orders = ref('stg_orders') -%}
    {%- set lines = ref('stg_order_lines') -%}
    {%- set ordered_day = first_day_of(
        'first_ordered_day',
        "select cast(min(orders.ordered_at) as date) from " ~ orders ~ " as orders"
        ~ " where orders.order_ref in (select order_ref from " ~ orders
        ~ " where " ~ in_this_run() ~ " union select order_ref from " ~ lines
        ~ " where " ~ in_this_run() ~ ")"
    ) -%}
    {{ return("least(" ~ first_restart_day() ~ ", " ~ ordered_day ~ ")") }}
{%- endmacro %}

{#
    Whether this run needs at most 300,000 days of customers anew: int_customer_days has some 400
    bytes of each. The first batch of an empty lake, and one of old rows, needs more.
#}
{% macro touches_few_days() -%}
    {%- set touched_visitors = ref('int_touched_visitors') -%}
    {%- if is_running() and is_incremental() -%}
        {{ return(run_value(
            'shoal_touches_few_days',
            "select coalesce(sum(greatest(1, " ~ days_between('touched_from', as_of()) ~ ")), 0)"
            ~ " <= 300000 from " ~ touched_visitors ~ " where is_customer"
        )) }}
    {%- endif -%}
    {{ return('false') }}
{%- endmacro %}

{# The day that a query finds, or the beginning (rebuild) or the end (nothing to do) of time. #}
{% macro first_day_of(name, query) -%}
    {%- if is_running() and is_incremental() -%}
        {{ return(run_value(
            'shoal_' ~ name, "select coalesce((" ~ query ~ "), date '9999-12-31')"
        )) }}
    {%- endif -%}
    {{ return("date '0001-01-01'") }}
{%- endmacro %}

{# The pause of a visitor after which a new session starts. #}
{% macro session_gap() -%}
    interval {{ var('session_gap_minutes') | int }} minute
{%- endmacro %}

{#
    A table of the same schema as an earlier run left it, or none: for a model that reads what a
    model after it kept. In a run over the whole history nothing that was kept counts.
#}
{% macro relation_so_far(name) -%}
    {%- if is_running() and not is_whole_history() -%}
        {{ return(adapter.get_relation(this.database, this.schema, name)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
