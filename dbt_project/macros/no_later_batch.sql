{# True unless rows wait for a later run, whose half-seen numbers a test must not compare. #}
{% macro no_later_batch(models) -%}
    {%- for model in models %}
    {%- if not loop.first %} and {% endif -%}
    not exists (select 1 from {{ model }} where batch_id > {{ last_batch_id() }})
    {%- endfor -%}
{%- endmacro %}
