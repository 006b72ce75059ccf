{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='identifier_key',
    on_schema_change='fail'
) }}

-- Who is who. Only the components that this run's evidence touches are computed; the steps are the
-- macros in macros/identity.

with recursive {{ identity_evidence() }},

{{ refs_to_compute() }},

{{ ref_facts() }},

{{ joined_refs() }},

{{ ref_rows() }},

{{ identifier_rows() }},

computed_rows as (

    select * from ref_rows
    union all
    select * from identifier_rows

),

{% if is_incremental() %}
known_rows as (

    select
        known.identifier_key,
        known.identifier_kind,
        known.customer_key,
        known.is_owner,
        known.linked_at,
        known.owned_until,
        known.evidence_kind,
        known.evidence_key
    from {{ this }} as known
    where known.identifier_key in (select computed_rows.identifier_key from computed_rows)

),

fresh_rows as (

    select * from computed_rows
    except
    select * from known_rows

),

stale_rows as (

    select * from known_rows
    except
    select * from computed_rows

),

changed_identifiers as (

    select identifier_key
    from fresh_rows
    union
    select identifier_key
    from stale_rows

),
{% endif %}

final as (

    select
        -- ids
        rows.identifier_key,
        rows.identifier_kind,
        rows.customer_key,

        -- evidence
        rows.is_owner,
        rows.linked_at,
        rows.owned_until,
        rows.evidence_kind,
        rows.evidence_key,

        -- lineage
        cast({{ last_batch_id() }} as bigint) as changed_batch_id
    from computed_rows as rows
    {% if is_incremental() %}
    inner join changed_identifiers on rows.identifier_key = changed_identifiers.identifier_key
    {% endif %}

)

select * from final
