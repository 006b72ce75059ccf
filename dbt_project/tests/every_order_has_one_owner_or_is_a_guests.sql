{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}

-- Every order belongs to exactly one row of customers, or to a guest.

with owners as (

    select
        customer_key,
        count(*) as times
    from {{ ref('customers') }}
    group by 1

)

select
    orders.order_ref,
    orders.customer_key,
    owners.times
from {{ ref('orders') }} as orders
left join owners on orders.customer_key = owners.customer_key
where
    orders.customer_key is not null
    and owners.times is distinct from 1
