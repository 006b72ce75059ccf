with source as (

    select * from {{ source('raw', 'products') }}

),

newest_first as (

    select
        *,
        row_number() over (
            partition by product_ref
            order by updated_at desc nulls last, batch_id desc, row_number desc
        ) as recency_rank,
        first_value(category ignore nulls) over (
            partition by product_ref
            order by updated_at asc nulls last, batch_id asc, row_number asc
            rows between unbounded preceding and unbounded following
        ) as first_category
    from source

),

renamed as (

    select
        -- ids
        product_ref,

        -- profile
        name as product_name,
        category,
        first_category,
        brand,
        price,
        updated_at,

        -- lineage
        batch_id
    from newest_first
    where recency_rank = 1

)

select * from renamed
