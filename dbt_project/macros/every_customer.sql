{# Everyone whom any row names: whom a rebuild computes, in place of the touched ones. #}
{% macro every_customer() -%}
select distinct customer_key
from {{ ref('identity_map') }}
where identifier_kind = 'customer'
{%- endmacro %}
