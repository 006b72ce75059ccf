{# What the session that reads a view has set under a name; null where it has set nothing. #}
{% macro reader_setting(name) -%}
    {{ return(adapter.dispatch('reader_setting', 'shoal')(name)) }}
{%- endmacro %}

{% macro default__reader_setting(name) -%}
    null
{%- endmacro %}

{% macro duckdb__reader_setting(name) -%}
    getvariable('{{ name }}')
{%- endmacro %}
