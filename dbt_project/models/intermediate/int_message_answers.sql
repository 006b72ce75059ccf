{{ config(materialized='view') }}

-- Opened and clicked answer a message by their nature; a redeemed coupon and an order answer one
-- only where they name its campaign. As in int_customer_days, an anonymous event counts from the
-- first login on its browser on.

with answers as (

    select
        -- ids
        customer_key,
        event_id,
        campaign_ref,

        -- what happened
        occurred_at,
        event_type,
        event_type <> 'message_opened' as is_reaction
    from {{ ref('int_events') }}
    where
        customer_key is not null
        and occurred_at >= coalesce(linked_at, occurred_at)
        and (
            event_type in ('message_opened', 'message_clicked')
            or (event_type in ('coupon_redeemed', 'order_completed') and campaign_ref is not null)
        )

)

select * from answers
