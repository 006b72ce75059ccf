{{ config(materialized='table') }}

-- Who has to be computed anew in this run, and from which instant on.

with new_events as (

    select
        anonymous_key,
        customer_key,
        occurred_at
    from {{ ref('int_events') }}
    where {{ in_this_run() }}

),

changed_links as (

    select anonymous_key
    from {{ ref('identity_map') }}
    where {{ in_this_run('changed_batch_id') }}

),

-- everyone who ever logged in on a relinked browser, so that whoever owned it before is computed
-- anew too, however many runs failed and however often it changed hands in between
relinked_history as (

    select
        events.anonymous_key,
        events.ref_key as customer_key,
        min(min(events.occurred_at)) over (
            partition by events.anonymous_key
        ) as first_event_at
    from {{ ref('stg_events') }} as events
    inner join changed_links on events.anonymous_key = changed_links.anonymous_key
    group by 1, 2

),

changed_order_refs as (

    select order_ref
    from {{ ref('int_order_states') }}
    where {{ in_this_run() }}

    union

    select order_ref
    from {{ ref('stg_order_lines') }}
    where {{ in_this_run() }}

),

touched_customers as (

    select
        customer_key as visitor_key,
        occurred_at as touched_from
    from new_events

    union all

    select
        customer_key,
        first_event_at
    from relinked_history

    union all

    select
        orders.customer_key,
        orders.ordered_at
    from {{ ref('int_order_states') }} as orders
    inner join changed_order_refs on orders.order_ref = changed_order_refs.order_ref

    union all

    select
        customer_key,
        sent_at
    from {{ ref('int_messages') }}
    where {{ in_this_run() }}

    union all

    select
        customer_key,
        posted_at
    from {{ ref('int_feedback') }}
    where {{ in_this_run() }}

    union all

    -- a new profile or consent changes who the customer is, not what was done
    select
        customer_key,
        cast(null as timestamp)
    from {{ ref('int_profiles') }}
    where {{ in_this_run() }}

    union all

    select
        customer_key,
        cast(null as timestamp)
    from {{ ref('int_consents') }}
    where {{ in_this_run() }}

),

touched_browsers as (

    select
        anonymous_key as visitor_key,
        occurred_at as touched_from
    from new_events
    where customer_key is null

    union all

    select
        anonymous_key,
        first_event_at
    from relinked_history

),

touched_visitors as (

    select
        -- ids
        visitor_key,
        true as is_customer,

        -- times
        min(touched_from) as touched_from
    from touched_customers
    where visitor_key is not null
    group by 1

    union all

    select
        visitor_key,
        false as is_customer,
        min(touched_from) as touched_from
    from touched_browsers
    where visitor_key is not null
    group by 1

)

select * from touched_visitors
