{{ config(materialized='view') }}

-- An event belongs to the customer whom it names, else to the owner of its device at its time, else
-- to the device alone.

with owners as (

    select
        identifier_key,
        customer_key,
        linked_at,
        {{ owned_until() }} as owned_until
    from {{ ref('identity_map') }}
    where is_owner

),

events as (

    select
        -- ids
        coalesce(owners.customer_key, events.ref_key, events.anonymous_key) as visitor_key,
        coalesce(owners.customer_key, events.ref_key) as customer_key,
        case when events.ref_key is null then owners.linked_at end as linked_at,
        events.*
    from {{ ref('stg_events') }} as events
    left join owners
        on
            coalesce(events.ref_key, events.anonymous_key) = owners.identifier_key
            and events.occurred_at < owners.owned_until

)

select * from events
