{#
    The events of a relation like stg_events, with whoever did them: the customer whom an event
    names, else the owner of its device at its time, else the device alone.
#}
{% macro recognised_events(events) -%}
select
    -- ids
    coalesce(owners.customer_key, events.ref_key, events.anonymous_key) as visitor_key,
    coalesce(owners.customer_key, events.ref_key) as customer_key,
    case when events.ref_key is null then owners.linked_at end as linked_at,
    events.*
from {{ events }} as events
left join (
    select
        identifier_key,
        customer_key,
        linked_at,
        {{ owned_until() }} as owned_until
    from {{ ref('identity_map') }}
    where is_owner
) as owners
    on
        coalesce(events.ref_key, events.anonymous_key) = owners.identifier_key
        and events.occurred_at < owners.owned_until
{%- endmacro %}
