{#
    A value that a query finds once and that the statements of a model then name: an expression.

    Where the session can hold it, the text of the statements is the same in every run, so that a
    process that stays can run them again without rendering them; the engine folds the expression to
    a literal before it plans, and skips files by their statistics.
#}
{% macro run_value(name, query) -%}
    {{ return(adapter.dispatch('run_value', 'shoal')(name, query)) }}
{%- endmacro %}

{% macro default__run_value(name, query) -%}
    {%- set value = run_query(query).rows[0][0] -%}
    {{ return(value if value is number else "'" ~ value ~ "'") }}
{%- endmacro %}

{% macro duckdb__run_value(name, query) -%}
    {%- do run_query("set variable " ~ name ~ " = (" ~ query ~ ")") -%}
    {{ return("getvariable('" ~ name ~ "')") }}
{%- endmacro %}
