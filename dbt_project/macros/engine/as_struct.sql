{# Columns as one value, whose fields have their names. #}
{% macro as_struct(names) -%}
    {{ return(adapter.dispatch('as_struct', 'shoal')(names)) }}
{%- endmacro %}

{% macro default__as_struct(names) -%}
    struct({{ names | join(', ') }})
{%- endmacro %}

{% macro duckdb__as_struct(names) -%}
    struct_pack({% for name in names %}{{ name }} := {{ name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
