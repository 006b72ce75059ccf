with source as (

    select * from {{ source('raw', 'events') }}

),

renamed as (

    select
        -- ids
        event_id,
        customer_key as ref_key,
        anonymous_key,
        product_ref,
        campaign_ref,

        -- what happened
        occurred_at,
        lower(event_type) as event_type,
        lower(channel) as channel,
        page,
        quantity,
        value as event_value,
        upper(currency) as currency,

        -- with what
        upper(country) as country,
        lower(device) as device,
        user_agent,
        referrer,

        -- the order that an event tells of
        case
            when lower(event_type) = 'order_completed'
                then {{ json_text('properties', 'order_ref') }}
        end as order_ref,

        -- lineage
        batch_id
    from source

)

select * from renamed
