{# Texts of a group in an order, joined by ` > `; the order is by numbers. #}
{% macro joined_text(text, order_by) -%}
    {{ return(adapter.dispatch('joined_text', 'shoal')(text, order_by)) }}
{%- endmacro %}

{% macro default__joined_text(text, order_by) -%}
    array_join(
        transform(
            sort_array(collect_list(struct({{ order_by }} as place, {{ text }} as text))),
            item -> item.text
        ),
        ' > '
    )
{%- endmacro %}

{% macro duckdb__joined_text(text, order_by) -%}
    string_agg({{ text }}, ' > ' order by {{ order_by }})
{%- endmacro %}
