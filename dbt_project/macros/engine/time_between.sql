{# Seconds from one instant to another, with fractions. #}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between', 'shoal')(earlier, later)) }}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    (unix_timestamp({{ later }}) - unix_timestamp({{ earlier }}))
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    (epoch({{ later }}) - epoch({{ earlier }}))
{%- endmacro %}

{# Days from one instant to another, with fractions. #}
{% macro days_between(earlier, later) -%}
    {{ seconds_between(earlier, later) }} / 86400.0
{%- endmacro %}
