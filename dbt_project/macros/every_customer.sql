{# Everyone whom any row names: whom a rebuild computes, in place of the touched ones. #}
{% macro every_customer() -%}
{%- for name in ['events', 'orders', 'messages', 'feedback', 'customers', 'consents'] -%}
{% if not loop.first %}

union

{% endif -%}
select customer_key
from {{ ref('stg_' ~ name) }}
where customer_key is not null
{%- endfor %}
{%- endmacro %}
