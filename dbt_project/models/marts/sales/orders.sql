{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_ref',
    on_schema_change='fail'
) }}

{%- set identity_map = ref('identity_map') %}

{% if is_incremental() %}
with changed_order_refs as (

    select order_ref
    from {{ ref('stg_orders') }}
    where {{ in_this_run() }}

    union

    select order_ref
    from {{ ref('stg_order_lines') }}
    where {{ in_this_run() }}

    union

    select order_ref
    from {{ ref('stg_orders') }}
    where
        ref_key in (
            select changed.identifier_key
            from {{ identity_map }} as changed
            where {{ in_this_run('changed.changed_batch_id') }}
        )

),
{% else %}
with
{% endif %}

ranked_states as (

    select
        orders.*,
        row_number() over (
            partition by orders.order_ref
            order by
                orders.ordered_at desc,
                case orders.status when 'returned' then 3 when 'cancelled' then 2 else 1 end desc
        ) as state_rank
    from {{ ref('stg_orders') }} as orders
    {% if is_incremental() %}
    where orders.order_ref in (select changed.order_ref from changed_order_refs as changed)
    {% endif %}

),

line_totals as (

    select
        order_ref,
        count(*) as line_count,
        count(distinct product_ref) as product_count,
        sum(quantity) as units,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount
    from {{ ref('stg_order_lines') }}
    {% if is_incremental() %}
    where order_ref in (select changed.order_ref from changed_order_refs as changed)
    {% endif %}
    group by 1

),

final as (

    select
        -- ids
        states.order_ref,
        coalesce(owners.customer_key, states.ref_key) as customer_key,
        states.store_ref,

        -- what happened
        states.ordered_at,
        cast(states.ordered_at as date) as order_date,
        states.status,
        states.channel,
        states.currency,

        -- measures
        coalesce(line_totals.line_count, 0) as line_count,
        coalesce(line_totals.product_count, 0) as product_count,
        coalesce(line_totals.units, 0) as units,
        coalesce(line_totals.gross_amount, 0) as gross_amount,
        coalesce(line_totals.discount_amount, 0) as discount_amount,
        coalesce(line_totals.net_amount, 0) as net_amount
    from ranked_states as states
    left join line_totals on states.order_ref = line_totals.order_ref
    left join {{ identity_map }} as owners on states.ref_key = owners.identifier_key
    where states.state_rank = 1

)

select * from final
order by ordered_at, order_ref
