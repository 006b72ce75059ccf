{# A number from 0 to below 1 that a text alone decides: the same on every run and machine. #}
{% macro seeded_share(text) -%}
    {{ return(adapter.dispatch('seeded_share', 'shoal')(text)) }}
{%- endmacro %}

{% macro default__seeded_share(text) -%}
    (cast(conv(substring(md5({{ text }}), 1, 8), 16, 10) as double) / 4294967296.0)
{%- endmacro %}

{% macro duckdb__seeded_share(text) -%}
    (cast(cast('0x' || substring(md5({{ text }}), 1, 8) as bigint) as double) / 4294967296.0)
{%- endmacro %}
