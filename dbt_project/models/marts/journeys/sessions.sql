{{ config(materialized='view') }}

with sessions as (

    select
        session_id,
        visitor_key,
        customer_key,
        started_at,
        ended_at,
        session_date,
        duration_seconds,
        channel,
        channel_group,
        referrer,
        device,
        campaign_ref,
        landing_page,
        events,
        page_views,
        product_views,
        carts_added,
        checkouts_started,
        orders_completed,
        order_value
    from {{ ref('int_sessions') }}
    where not is_bot

)

select * from sessions
