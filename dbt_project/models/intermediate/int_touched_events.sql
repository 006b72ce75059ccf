{{ config(materialized='view') }}

-- The rows of int_events of the visitors whom this run computes anew. It starts from their few
-- identifiers, so that a long history is read and not joined.

with identifiers as (

    select
        identities.identifier_key,
        identities.customer_key,
        identities.linked_at
    from {{ ref('identity_map') }} as identities
    inner join {{ ref('int_touched_visitors') }} as touched
        on identities.customer_key = touched.visitor_key
    where
        touched.is_customer
        and identities.is_owner
        and identities.identifier_kind in ('customer', 'device')

    union all

    select
        touched.visitor_key as identifier_key,
        cast(null as varchar) as customer_key,
        cast(null as timestamp) as linked_at
    from {{ ref('int_touched_visitors') }} as touched
    left join {{ ref('identity_map') }} as identities
        on touched.visitor_key = case when identities.is_owner then identities.identifier_key end
    where
        not touched.is_customer
        and identities.identifier_key is null

),

events as (

    select
        -- ids
        coalesce(identifiers.customer_key, events.anonymous_key) as visitor_key,
        identifiers.customer_key,
        case when events.ref_key is null then identifiers.linked_at end as linked_at,
        events.*
    from {{ ref('stg_events') }} as events
    inner join identifiers
        on coalesce(events.ref_key, events.anonymous_key) = identifiers.identifier_key

)

select * from events
