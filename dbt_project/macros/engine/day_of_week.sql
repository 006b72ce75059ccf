{# Day of the week of an instant: 1 is Monday, 7 is Sunday. #}
{% macro day_of_week(instant) -%}
    {{ return(adapter.dispatch('day_of_week', 'shoal')(instant)) }}
{%- endmacro %}

{% macro default__day_of_week(instant) -%}
    extract(dow_iso from {{ instant }})
{%- endmacro %}

{% macro duckdb__day_of_week(instant) -%}
    extract(isodow from {{ instant }})
{%- endmacro %}
