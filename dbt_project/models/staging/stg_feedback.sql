with source as (

    select * from {{ source('raw', 'feedback') }}

),

renamed as (

    select
        -- ids
        feedback_ref,
        customer_key as ref_key,
        product_ref,

        -- what happened; the text itself can name people and stays in raw
        posted_at,
        lower(source_type) as source_type,
        rating,
        lower(language) as language,
        length(body) as body_length,

        -- lineage
        batch_id
    from source

)

select * from renamed
