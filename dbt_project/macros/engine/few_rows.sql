{#
    A relation of scalar columns that is small, so that the planner knows it: always where something
    runs, or where the expression `are_few` says so, which the engine has to know when it plans.

    DuckDB multiplies up the estimates of joins and lays out a window for as many rows: 400 rows took
    .13 s instead of .02, on one thread. What is packed into one row is estimated as one; it has to
    fit into memory.
#}
{% macro few_rows(relation, are_few='true') -%}
    {%- if is_running() and are_few != 'false' -%}
        {{ return(adapter.dispatch('few_rows', 'shoal')(relation, are_few)) }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro default__few_rows(relation, are_few) -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro duckdb__few_rows(relation, are_few) -%}
    {%- set packed = "select unnest(list(packed), recursive := true) from " ~ relation ~ " as packed" -%}
    {%- if are_few == 'true' -%}
        {{ return("(" ~ packed ~ ")") }}
    {%- endif -%}
    {{ return(
        "(" ~ packed ~ " where " ~ are_few
        ~ " union all select * from " ~ relation ~ " where not " ~ are_few ~ ")"
    ) }}
{%- endmacro %}
