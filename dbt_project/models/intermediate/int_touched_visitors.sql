{{ config(
    materialized='incremental',
    incremental_strategy='replace_all',
    on_schema_change='fail',
) }}

{%- set sessions_so_far = relation_so_far('int_sessions') %}

-- Who has to be computed anew in this run, and from which instant on.

with changed_identifiers as (

    select
        identifier_key,
        identifier_kind,
        case when is_owner then customer_key end as customer_key
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
    from {{ ref('stg_orders') }}
    where {{ in_this_run() }}

    union

    select order_ref
    from {{ ref('stg_order_lines') }}
    where {{ in_this_run() }}

),

new_rows as (

    select
        coalesce(ref_key, anonymous_key) as identifier_key,
        ref_key is not null as is_ref,
        occurred_at as touched_from
    from {{ ref('stg_events') }}
    where {{ in_this_run() }}

    union all

    select
        orders.ref_key as identifier_key,
        true as is_ref,
        orders.ordered_at as touched_from
    from {{ ref('stg_orders') }} as orders
    inner join changed_order_refs on orders.order_ref = changed_order_refs.order_ref

    {% for name, time in {'messages': 'sent_at', 'feedback': 'posted_at'}.items() %}

    union all

    select
        ref_key as identifier_key,
        true as is_ref,
        {{ time }} as touched_from
    from {{ ref('stg_' ~ name) }}
    where {{ in_this_run() }}

    {% endfor %}

    {% for name in ['customers', 'consents'] %}

    union all

    -- a new profile or consent changes who the customer is, not what was done
    select
        ref_key as identifier_key,
        true as is_ref,
        cast(null as timestamp) as touched_from
    from {{ ref('stg_' ~ name) }}
    where {{ in_this_run() }}

    {% endfor %}

),

owners as (

    select
        identifier_key,
        customer_key,
        {{ owned_until() }} as owned_until
    from {{ ref('identity_map') }}
    where is_owner

),

all_touched as (

    select
        coalesce(owners.customer_key, new_rows.identifier_key) as visitor_key,
        owners.customer_key is not null or new_rows.is_ref as is_customer,
        new_rows.touched_from
    from new_rows
    left join owners
        on
            new_rows.identifier_key = owners.identifier_key
            and coalesce(new_rows.touched_from, timestamp '0001-01-01') < owners.owned_until

    union all

    -- without any activity it is the profile or a consent that changes hands
    select
        concerned.customer_key as visitor_key,
        true as is_customer,
        activity.first_at as touched_from
    from concerned_customers as concerned
    left join changed_activity as activity
        on concerned.identifier_key = activity.identifier_key

    union all

    select
        changed.identifier_key as visitor_key,
        false as is_customer,
        activity.first_at as touched_from
    from changed_identifiers as changed
    inner join changed_activity as activity on changed.identifier_key = activity.identifier_key
    where changed.identifier_kind = 'device'

),

touched_visitors as (

    select
        visitor_key,
        is_customer,
        min(touched_from) as touched_from
    from all_touched
    where visitor_key is not null
    group by 1, 2

),

-- An event that tells of an order takes the place of the order's own step, which may stand before
-- it: so the journey starts anew at that order.
touched_identifiers as (

    select
        owners.identifier_key,
        owners.owned_until,
        touched.visitor_key,
        touched.touched_from
    from owners
    inner join touched_visitors as touched on owners.customer_key = touched.visitor_key
    where touched.is_customer

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
            and events.occurred_at < touched.owned_until
    inner join {{ ref('stg_orders') }} as states on events.order_ref = states.order_ref
    inner join touched_identifiers as buyers
        on
            states.ref_key = buyers.identifier_key
            and touched.visitor_key = buyers.visitor_key
    where
        events.event_type = 'order_completed'
        and events.occurred_at >= (select min(first.touched_from) from touched_visitors as first)
        and events.occurred_at < touched.touched_from + {{ telling_time() }}
        and states.status = 'completed'
        and states.ordered_at < touched.touched_from
        and {{ tells_of('events', 'states') }}
    group by 1

),

{% if sessions_so_far %}
extended_sessions as (

    select
        touched.visitor_key,
        min(known.started_at) as started_at
    from {{ sessions_so_far }} as known
    inner join touched_visitors as touched
        on
            known.visitor_key = touched.visitor_key
            and known.ended_at >= touched.touched_from - {{ session_gap() }}
    group by 1

),
{% else %}
extended_sessions as (

    select
        visitor_key,
        touched_from as started_at
    from touched_visitors
    where false

),
{% endif %}

final as (

    select
        -- ids
        touched.visitor_key,
        touched.is_customer,

        -- times
        touched.touched_from,
        case
            when sessions.started_at < touched.touched_from then sessions.started_at
            else touched.touched_from
        end as sessions_from,
        case
            when touched.is_customer
                then least(
                    touched.touched_from, coalesce(told_orders.ordered_at, touched.touched_from)
                )
        end as journey_from
    from touched_visitors as touched
    left join told_orders on touched.visitor_key = told_orders.visitor_key
    left join extended_sessions as sessions on touched.visitor_key = sessions.visitor_key

)

select * from final
