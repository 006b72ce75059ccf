with source as (

    select * from {{ source('raw', 'customers') }}

),

renamed as (

    select
        -- ids
        customer_key as ref_key,
        email_key,
        phone_key,
        loyalty_key,

        -- identifiers that are no one's
        email_placeholder_reason,
        phone_placeholder_reason,

        -- profile
        updated_at,
        signed_up_at,
        cast(extract(year from birth_date) as integer) as birth_year,
        city,
        upper(country) as country,

        -- lineage
        batch_id
    from source

)

select * from renamed
