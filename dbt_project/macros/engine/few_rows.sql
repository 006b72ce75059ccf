{#
    A relation of scalar columns that in an increment (or `always`) is small, so that the planner
    knows it.

    DuckDB multiplies up the estimates of joins and lays out a window for as many rows: 400 rows took
    .13 s instead of .02, on one thread. What is packed into one row is estimated as one.
#}
{% macro few_rows(relation, always=false) -%}
    {%- if is_running() and (always or is_incremental()) -%}
        {{ return(adapter.dispatch('few_rows', 'shoal')(relation)) }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro default__few_rows(relation) -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro duckdb__few_rows(relation) -%}
    {{ return(
        "(select unnest(list(packed), recursive := true) from " ~ relation ~ " as packed)"
    ) }}
{%- endmacro %}
