{{ config(materialized='view') }}

-- By which rows the customers of this run are found. It is little beside the history, so that the
-- history is read and not joined to everyone.

select
    -- ids
    identities.identifier_key,
    identities.identifier_kind,
    identities.customer_key,

    -- times
    identities.linked_at,
    identities.owned_until,
    touched.touched_from,
    touched.sessions_from,
    touched.journey_from
from {{ ref('identity_map') }} as identities
inner join {{ ref('int_touched_visitors') }} as touched
    on identities.customer_key = touched.visitor_key
where
    touched.is_customer
    and identities.is_owner
    and identities.identifier_kind in ('customer', 'device')
