-- The body is the masked one; where a text is not masked yet it is null, never the raw one.

with source as (

    select * from {{ source('raw', 'feedback') }}

),

masked_texts as (

    select * from {{ source('ops', 'masked_texts') }}

),

renamed as (

    select
        -- ids
        source.feedback_ref,
        source.customer_key as ref_key,
        source.product_ref,

        -- what happened
        source.posted_at,
        lower(source.source_type) as source_type,
        source.rating,
        lower(source.language) as language,
        masked_texts.body,
        masked_texts.content_hash,
        length(source.body) as body_length,

        -- lineage
        source.batch_id,
        masked_texts.changed_batch_id as masked_batch_id
    from source
    left join masked_texts
        on
            source.feedback_ref = masked_texts.feedback_ref
            and source.batch_id = masked_texts.batch_id

)

select * from renamed
