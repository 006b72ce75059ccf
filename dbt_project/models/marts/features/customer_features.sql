{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    on_schema_change='fail',
    meta={'visitor_column': 'customer_key', 'replace_when': 'touched.is_customer'}
) }}

{%- set touched_visitors = ref('int_touched_visitors') %}

with spine as (

    select
        customer_key,
        {{ as_of() }} as as_of
    from {{ ref('customers') }}
    {% if is_incremental() %}
    where
        customer_key in (
            select touched.visitor_key
            from {{ touched_visitors }} as touched
            where touched.is_customer
        )
    {% endif %}

),

features as (

    {{ customer_features('spine') | indent(4) }}

),

final as (

    select
        features.*,

        -- lineage
        cast({{ last_batch_id() }} as bigint) as batch_id
    from features

)

select * from final
order by customer_key
