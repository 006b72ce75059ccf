{# Whether a regular expression is found in a text, in either case; null where the text is. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches', 'shoal')(text, pattern | replace("'", "''"))) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} rlike r'(?i){{ pattern }}'
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_matches({{ text }}, '(?i){{ pattern }}')
{%- endmacro %}
