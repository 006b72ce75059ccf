with source as (

    select * from {{ source('raw', 'orders') }}

),

renamed as (

    select
        -- ids
        order_ref,
        customer_key as ref_key,
        store_ref,

        -- what happened
        ordered_at,
        coalesce(status, 'completed') as status,
        lower(channel) as channel,
        upper(currency) as currency,

        -- lineage
        batch_id
    from source

)

select * from renamed
