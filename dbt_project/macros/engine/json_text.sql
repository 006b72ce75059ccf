{# Text of one field of a JSON object; null where it is missing. #}
{% macro json_text(json, field) -%}
    {{ return(adapter.dispatch('json_text', 'shoal')(json, field)) }}
{%- endmacro %}

{% macro default__json_text(json, field) -%}
    get_json_object({{ json }}, '$.{{ field }}')
{%- endmacro %}

{% macro duckdb__json_text(json, field) -%}
    json_extract_string({{ json }}, '$.{{ field }}')
{%- endmacro %}
