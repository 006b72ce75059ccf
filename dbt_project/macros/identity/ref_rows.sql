{# CTE `ref_rows`: the customer of every computed ref, with the strongest evidence for it. #}
{% macro ref_rows() -%}
best_evidence as (

    select
        ref_key,
        max_by(evidence_kind, (strength, evidence_key)) as evidence_kind,
        max_by(evidence_key, (strength, evidence_key)) as evidence_key
    from pairs
    group by 1

),

cut_evidence as (

    select
        links.ref_key,
        min(links.identifier_key) as evidence_key
    from neighbourhood as links
    inner join identifier_facts as facts on links.identifier_key = facts.identifier_key
    where
        links.joins_people
        and facts.cut_at is not null
    group by 1

),

ref_rows as (

    select
        refs.ref_key as identifier_key,
        'customer' as identifier_kind,
        persons.customer_key,
        true as is_owner,
        refs.first_seen_at as linked_at,
        cast(null as timestamp) as owned_until,
        case
            when best_evidence.evidence_kind is not null then best_evidence.evidence_kind
            when refs.group_key is not null then 'decision'
            when cut_evidence.evidence_key is not null then 'guardrail'
        end as evidence_kind,
        coalesce(best_evidence.evidence_key, refs.group_key, cut_evidence.evidence_key)
            as evidence_key
    from ranked_refs as refs
    inner join persons on refs.ref_key = persons.ref_key
    left join best_evidence on refs.ref_key = best_evidence.ref_key
    left join cut_evidence on refs.ref_key = cut_evidence.ref_key

)
{%- endmacro %}
