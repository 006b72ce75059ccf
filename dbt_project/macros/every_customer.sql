{# Everyone whom any row names: whom a rebuild computes, in place of the touched ones. #}
{% macro every_customer() -%}
{%- for name in ['events', 'order_states', 'messages', 'feedback', 'profiles', 'consents'] -%}
{% if not loop.first %}

union

{% endif -%}
select customer_key
from {{ ref('int_' ~ name) }}
where customer_key is not null
{%- endfor %}
{%- endmacro %}
