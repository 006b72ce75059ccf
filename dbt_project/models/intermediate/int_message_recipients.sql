{{ config(materialized='view') }}

with recipients as (

    select
        features.customer_key,
        features.as_of,
        features.batch_id,
        {{ discount_days('features') }} as discount_days_365d
    from {{ ref('customer_features') }} as features
    inner join {{ ref('customers') }} as customers
        on features.customer_key = customers.customer_key
    where coalesce(customers.consents_marketing, true)

)

select * from recipients
