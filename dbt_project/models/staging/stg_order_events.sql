with source as (

    select * from {{ source('raw', 'events') }}

),

renamed as (

    select
        -- ids
        event_id,
        {{ json_text('properties', 'order_ref') }} as order_ref,

        -- what happened
        occurred_at,

        -- lineage
        batch_id
    from source
    where
        lower(event_type) = 'order_completed'
        and {{ json_text('properties', 'order_ref') }} is not null

)

select * from renamed
