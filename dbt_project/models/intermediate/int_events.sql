{{ config(materialized='view') }}

-- An event belongs to the customer whom it names, else to the owner of its browser, else to the
-- browser alone.

with events as (

    select
        -- ids
        coalesce(events.ref_key, links.customer_key, events.anonymous_key) as visitor_key,
        coalesce(events.ref_key, links.customer_key) as customer_key,
        links.linked_at,
        events.*
    from {{ ref('stg_events') }} as events
    left join {{ ref('identity_map') }} as links
        on {{ link_of_event() }}

)

select * from events
