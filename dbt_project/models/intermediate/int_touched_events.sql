{{ config(
    materialized='incremental',
    incremental_strategy='replace_all',
    on_schema_change='fail',
) }}

-- The events that this run reads of the visitors whom it computes anew: one look at the history for
-- all tables that are made of them, with what these read. It starts from the few identifiers of the
-- visitors. A run over the whole history reads int_events instead, and nothing is here.

with identifiers as (

    select
        identifier_key,
        customer_key,
        linked_at,
        {{ owned_until() }} as owned_until,
        least(sessions_from, cast(cast(touched_from as date) as timestamp), journey_from)
            as events_from,
        journey_from - {{ telling_time() }} as told_orders_from
    from {{ ref('int_touched_identifiers') }}
    where
        touched_from is not null
        and {{ 'false' if is_whole_history() else 'true' }}

    union all

    select
        touched.visitor_key as identifier_key,
        cast(null as varchar) as customer_key,
        cast(null as timestamp) as linked_at,
        {{ end_of_time() }} as owned_until,
        greatest(touched.sessions_from, identities.owned_until) as events_from,
        cast(null as timestamp) as told_orders_from
    from {{ ref('int_touched_visitors') }} as touched
    left join {{ ref('identity_map') }} as identities
        on touched.visitor_key = case when identities.is_owner then identities.identifier_key end
    where
        not touched.is_customer
        and (identities.identifier_key is null or identities.owned_until is not null)
        and {{ 'false' if is_whole_history() else 'true' }}

),

events as (

    select
        -- ids
        coalesce(identifiers.customer_key, events.anonymous_key) as visitor_key,
        identifiers.customer_key,
        case when events.ref_key is null then identifiers.linked_at end as linked_at,
        events.event_id,
        events.campaign_ref,
        events.order_ref,

        -- what happened
        events.occurred_at,
        events.event_type,
        events.channel,
        events.page,
        events.event_value,

        -- with what
        events.device,
        events.user_agent,
        events.referrer,

        -- lineage
        events.batch_id
    from {{ ref('stg_events') }} as events
    inner join identifiers
        on
            coalesce(events.ref_key, events.anonymous_key) = identifiers.identifier_key
            and events.occurred_at >= least(identifiers.events_from, identifiers.told_orders_from)
            and events.occurred_at < identifiers.owned_until
    where
        events.occurred_at >= (
            select min(least(first.events_from, first.told_orders_from))
            from identifiers as first
        )
        and (
            events.occurred_at >= identifiers.events_from
            or events.event_type = 'order_completed'
        )

)

select * from events
