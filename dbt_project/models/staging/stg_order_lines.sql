with source as (

    select * from {{ source('raw', 'order_lines') }}

),

renamed as (

    select
        -- ids
        order_ref,
        line_number,
        product_ref,

        -- measures
        quantity,
        unit_price,
        coalesce(discount, 0) as discount_amount,
        quantity * unit_price as gross_amount,
        quantity * unit_price - coalesce(discount, 0) as net_amount,

        -- lineage
        batch_id
    from source

)

select * from renamed
