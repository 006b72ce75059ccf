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

changed_identifiers as (

    select
        identifier_key,
        identifier_kind,
        customer_key
    from {{ ref('identity_map') }}
    where
        identifier_kind in ('customer', 'device')
        and {{ in_this_run('changed_batch_id') }}

),

-- whoever owned them before is computed anew too, however many runs failed and however often they
-- changed hands in between: the log has every owner since the last run that was carried through
concerned_customers as (

    select
        identifier_key,
        customer_key
    from changed_identifiers

    union

    select
        identifier_key,
        from_customer_key
    from {{ ref('identity_log') }}
    where {{ in_this_run() }}

    union

    select
        identifier_key,
        to_customer_key
    from {{ ref('identity_log') }}
    where {{ in_this_run() }}

),

changed_activity as (

    select
        changed.identifier_key,
        min(events.occurred_at) as first_at
    from {{ ref('stg_events') }} as events
    inner join changed_identifiers as changed
        on coalesce(events.ref_key, events.anonymous_key) = changed.identifier_key
    group by 1

    {% for name, time in {
        'orders': 'ordered_at', 'messages': 'sent_at', 'feedback': 'posted_at'
    }.items() %}

    union all

    select
        changed.identifier_key,
        min({{ name }}.{{ time }}) as first_at
    from {{ ref('stg_' ~ name) }} as {{ name }}
    inner join changed_identifiers as changed on {{ name }}.ref_key = changed.identifier_key
    group by 1

    {% endfor %}

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

    -- without any activity it is the profile or a consent that changes hands
    select
        concerned.customer_key,
        activity.first_at
    from concerned_customers as concerned
    left join changed_activity as activity
        on concerned.identifier_key = activity.identifier_key

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
        changed.identifier_key,
        activity.first_at
    from changed_identifiers as changed
    inner join changed_activity as activity on changed.identifier_key = activity.identifier_key
    where changed.identifier_kind = 'device'

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

),

-- An event that tells of an order takes the place of the order's own step, which may stand before
-- it: so the journey starts anew at that order.
touched_identifiers as (

    select
        identities.identifier_key,
        touched.visitor_key,
        touched.touched_from
    from {{ ref('identity_map') }} as identities
    inner join touched_visitors as touched on identities.customer_key = touched.visitor_key
    where
        touched.is_customer
        and identities.is_owner

),

told_orders as (

    select
        touched.visitor_key,
        min(states.ordered_at) as ordered_at
    from {{ ref('stg_events') }} as events
    inner join touched_identifiers as touched
        on
            coalesce(events.ref_key, events.anonymous_key) = touched.identifier_key
            and events.occurred_at >= touched.touched_from
    inner join {{ ref('int_order_states') }} as states
        on
            events.order_ref = states.order_ref
            and touched.visitor_key = states.customer_key
    where
        events.event_type = 'order_completed'
        and events.occurred_at >= (select min(first.touched_from) from touched_visitors as first)
        and states.status = 'completed'
        and {{ tells_of('events', 'states') }}
    group by 1

),

final as (

    select
        -- ids
        touched.visitor_key,
        touched.is_customer,

        -- times
        touched.touched_from,
        case
            when touched.is_customer
                then least(
                    touched.touched_from, coalesce(told_orders.ordered_at, touched.touched_from)
                )
        end as journey_from
    from touched_visitors as touched
    left join told_orders on touched.visitor_key = told_orders.visitor_key

)

select * from final
