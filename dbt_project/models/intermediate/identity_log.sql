{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false
) }}

-- What changed hands, against what the log said last: so a run that died leaves no gap, and one
-- that is done again no second entry. It survives a rebuild.

with owners as (

    select
        identifier_key,
        identifier_kind,
        max(case when is_owner then customer_key end) as customer_key,
        max(owned_until) is not null as is_shared,
        max(evidence_kind) as evidence_kind,
        max(evidence_key) as evidence_key
    from {{ ref('identity_map') }}
    where
        identifier_kind in ('customer', 'device')
        and {{ in_this_run('changed_batch_id') }}
    group by 1, 2

),

last_entries as (

    {% if is_incremental() %}
    select
        entries.identifier_key,
        entries.to_customer_key as customer_key,
        entries.change = 'share' as is_shared,
        entries.entry_number
    from (
        select
            *,
            max(entry_number) over (partition by identifier_key) as last_number
        from {{ this }}
        where identifier_key in (select owners.identifier_key from owners)
    ) as entries
    where entries.entry_number = entries.last_number
    {% else %}
    select
        identifier_key,
        customer_key,
        is_shared,
        cast(0 as bigint) as entry_number
    from owners
    where false
    {% endif %}

),

changes as (

    select
        owners.*,
        case
            when last_entries.identifier_key is not null then last_entries.customer_key
            when owners.identifier_kind = 'customer' then owners.identifier_key
        end as from_customer_key,
        coalesce(last_entries.is_shared, false) as was_shared,
        coalesce(last_entries.entry_number, 0) + 1 as entry_number
    from owners
    left join last_entries on owners.identifier_key = last_entries.identifier_key

),

final as (

    select
        -- ids
        identifier_key,
        identifier_kind,
        cast(entry_number as bigint) as entry_number,

        -- what changed
        case
            when identifier_kind = 'customer' and customer_key = identifier_key then 'split'
            when identifier_kind = 'customer' and from_customer_key = identifier_key then 'merge'
            when identifier_kind = 'customer' then 'move'
            when customer_key is null then 'unlink'
            when is_shared then 'share'
            else 'link'
        end as change,
        from_customer_key,
        customer_key as to_customer_key,

        -- why
        evidence_kind,
        evidence_key,

        -- lineage
        {{ as_of() }} as as_of,
        cast({{ last_batch_id() }} as bigint) as batch_id
    from changes
    where
        from_customer_key is distinct from customer_key
        or is_shared <> was_shared

)

select * from final
