{# Days from one instant to another, with fractions. #}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between', 'shoal')(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    (unix_timestamp({{ later }}) - unix_timestamp({{ earlier }})) / 86400.0
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    (epoch({{ later }}) - epoch({{ earlier }})) / 86400.0
{%- endmacro %}
