{#
    Until when an identifier is its owner's, with an instant also where there is no end: a left join
    compares that by hash, and a condition with `or` row by row with every other.
#}
{% macro owned_until() -%}
    coalesce(owned_until, {{ end_of_time() }})
{%- endmacro %}

{% macro end_of_time() -%}
    timestamp '9999-12-31 23:59:59'
{%- endmacro %}
