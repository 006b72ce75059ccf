{{ config(materialized='view') }}

-- What a guardrail keeps from joining people, and why.

with edges as (

    select
        edges.identifier_key,
        edges.identifier_kind,
        edges.ref_key,
        edges.placeholder_reason,
        edges.first_at,
        rules.max_refs,
        rules.reason
    from {{ ref('int_identity_edges') }} as edges
    inner join {{ ref('identity_guardrails') }} as rules
        on edges.identifier_kind = rules.identifier_kind

),

identifiers as (

    select
        identifier_key,
        identifier_kind,
        count(distinct ref_key) as refs,
        max(max_refs) as max_refs,
        max(reason) as limit_reason,
        max(placeholder_reason) as placeholder_reason,
        min(first_at) as first_at
    from edges
    group by 1, 2

),

final as (

    select
        -- ids
        identifier_key,
        identifier_kind,

        -- why
        coalesce(
            placeholder_reason,
            limit_reason || ': ' || refs || ' refs, at most ' || max_refs || ' count'
        ) as reason,

        -- measures
        refs,
        first_at
    from identifiers
    where
        placeholder_reason is not null
        or refs > max_refs

)

select * from final
