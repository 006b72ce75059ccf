with source as (

    select * from {{ source('raw', 'messages') }}

),

renamed as (

    select
        -- ids
        message_ref,
        customer_key as ref_key,
        campaign_ref,

        -- what happened
        sent_at,
        lower(channel) as channel,
        variant,
        coalesce(is_control, false) as is_control,
        cost,

        -- lineage
        batch_id
    from source

)

select * from renamed
