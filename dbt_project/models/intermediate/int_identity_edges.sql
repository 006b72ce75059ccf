{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='edge_key',
    on_schema_change='fail'
) }}

-- Deterministic evidence. A failed login is none: somebody tried to be the customer.

with logins as (

    select
        ref_key,
        anonymous_key as identifier_key,
        'device' as identifier_kind,
        case event_type
            when 'login' then 'login'
            when 'order_completed' then 'order'
            else 'event'
        end as source,
        {{ public_device_reason('user_agent') | indent(8) }} as placeholder_reason,
        occurred_at as seen_at
    from {{ ref('stg_events') }}
    where
        ref_key is not null
        and anonymous_key is not null
        and event_type <> 'login_failed'
        and {{ in_this_run() }}

),

profiles as (

    select * from {{ ref('stg_customers') }}
    where {{ in_this_run() }}

),

sightings as (

    select * from logins

    {% for kind in ['email', 'phone', 'loyalty'] %}

    union all

    select
        ref_key,
        {{ kind }}_key as identifier_key,
        '{{ kind }}' as identifier_kind,
        'profile' as source,
        {{ kind ~ '_placeholder_reason' if kind != 'loyalty' else 'cast(null as varchar)' }}
            as placeholder_reason,
        updated_at as seen_at
    from profiles
    where {{ kind }}_key is not null

    {% endfor %}

),

new_edges as (

    select
        {{ surrogate_key(['ref_key', 'identifier_key', 'source', 'placeholder_reason']) }}
            as edge_key,
        ref_key,
        identifier_key,
        identifier_kind,
        source,
        placeholder_reason,
        min(seen_at) as first_at,
        max(seen_at) as last_at
    from sightings
    group by 2, 3, 4, 5, 6

),

known_edges as (

    {% if is_incremental() %}
    select
        edge_key,
        first_at,
        last_at,
        changed_batch_id
    from {{ this }}
    where edge_key in (select new_edges.edge_key from new_edges)
    {% else %}
    select
        edge_key,
        first_at,
        last_at,
        cast(null as bigint) as changed_batch_id
    from new_edges
    where false
    {% endif %}

),

final as (

    select
        -- ids
        new.edge_key,
        new.ref_key,
        new.identifier_key,

        -- evidence
        new.identifier_kind,
        new.source,
        new.placeholder_reason,
        least(new.first_at, coalesce(known.first_at, new.first_at)) as first_at,
        greatest(new.last_at, coalesce(known.last_at, new.last_at)) as last_at,

        -- lineage: a later sighting of the same says nothing new about who is who
        case
            when new.first_at >= known.first_at then known.changed_batch_id
            else cast({{ last_batch_id() }} as bigint)
        end as changed_batch_id
    from new_edges as new
    left join known_edges as known on new.edge_key = known.edge_key

)

select * from final
