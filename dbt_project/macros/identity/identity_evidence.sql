{#
    CTEs of what is known of refs, of all times: `decisions` of people, `matches` in both
    directions, and `edges` to identifiers with the rules of their kind.
#}
{% macro identity_evidence() -%}
decisions as (

    {{ newest_decisions() | indent(4) }}

),

matches as (

    select
        left_key as ref_key,
        right_key as other_key,
        probability,
        decision,
        changed_batch_id
    from {{ source('intermediate', 'identity_matches') }}

    union all

    select
        right_key as ref_key,
        left_key as other_key,
        probability,
        decision,
        changed_batch_id
    from {{ source('intermediate', 'identity_matches') }}

),

edges as (

    select
        edges.ref_key,
        edges.identifier_key,
        edges.identifier_kind,
        edges.placeholder_reason,
        edges.first_at,
        edges.changed_batch_id,
        rules.strength,
        rules.joins_people,
        rules.max_refs,
        rules.needs_same_birth_year
    from {{ ref('int_identity_edges') }} as edges
    inner join {{ ref('identity_guardrails') }} as rules
        on edges.identifier_kind = rules.identifier_kind

)
{%- endmacro %}
