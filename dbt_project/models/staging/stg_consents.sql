with source as (

    select * from {{ source('raw', 'consents') }}

),

renamed as (

    select
        -- ids
        customer_key as ref_key,
        purpose,

        -- decision
        granted,
        decided_at,

        -- lineage
        batch_id
    from source

)

select * from renamed
