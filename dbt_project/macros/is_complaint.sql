{#
    Whether a text complains: in a bad mood, or asking for what people ask who are (and not glad).
    Null where its mood is not known.
#}
{% macro is_complaint() -%}
    (
        sentiment = 'negative'
        or (sentiment = 'neutral' and intent in ('complaint', 'cancellation'))
    )
{%- endmacro %}
