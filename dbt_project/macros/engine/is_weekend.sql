{# Whether a date is a Saturday or a Sunday. #}
{% macro is_weekend(date) -%}
    {{ return(adapter.dispatch('is_weekend', 'shoal')(date)) }}
{%- endmacro %}

{% macro default__is_weekend(date) -%}
    extract(dow_iso from {{ date }}) >= 6
{%- endmacro %}

{% macro duckdb__is_weekend(date) -%}
    extract(isodow from {{ date }}) >= 6
{%- endmacro %}
