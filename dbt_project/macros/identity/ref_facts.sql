{#
    CTEs of facts about `component_refs`: `neighbourhood` has every edge on their identifiers, those
    of refs that stay apart included; `ranked_refs` orders them by age; `identifier_facts` says from
    when on a guardrail cuts an identifier.
#}
{% macro ref_facts() -%}
neighbourhood as (

    select edges.*
    from edges
    where
        edges.identifier_key in (
            select own.identifier_key
            from edges as own
            inner join component_refs on own.ref_key = component_refs.ref_key
        )

),

concerned_refs as (

    select ref_key
    from component_refs
    union
    select ref_key
    from neighbourhood

),

profile_facts as (

    select
        profiles.ref_key,
        min(profiles.signed_up_at) as signed_up_at,
        max_by(profiles.birth_year, (profiles.updated_at, profiles.birth_year)) as birth_year
    from {{ ref('stg_customers') }} as profiles
    inner join concerned_refs on profiles.ref_key = concerned_refs.ref_key
    group by 1

),

edge_facts as (

    select
        ref_key,
        min(first_at) as first_at
    from neighbourhood
    group by 1

),

ranked_refs as (

    select
        component_refs.ref_key,
        decisions.group_key,
        coalesce(profile_facts.signed_up_at, edge_facts.first_at) as first_seen_at,
        row_number() over (
            order by
                coalesce(profile_facts.signed_up_at, edge_facts.first_at) nulls last,
                component_refs.ref_key
        ) as ref_rank
    from component_refs
    left join profile_facts on component_refs.ref_key = profile_facts.ref_key
    left join edge_facts on component_refs.ref_key = edge_facts.ref_key
    left join decisions on component_refs.ref_key = decisions.ref_key

),

identifier_refs as (

    select
        identifier_key,
        ref_key,
        max(max_refs) as max_refs,
        min(first_at) as first_at,
        min(first_at) filter (where placeholder_reason is not null) as placeholder_at,
        row_number() over (
            partition by identifier_key
            order by min(first_at), ref_key
        ) as ref_number
    from neighbourhood
    group by 1, 2

),

identifier_facts as (

    select
        refs.identifier_key,
        least(
            min(refs.first_at) filter (where refs.ref_number > refs.max_refs),
            min(refs.placeholder_at)
        ) as cut_at,
        case
            when count(distinct profile_facts.birth_year) = 1 then max(profile_facts.birth_year)
        end as only_birth_year
    from identifier_refs as refs
    left join profile_facts on refs.ref_key = profile_facts.ref_key
    group by 1

)
{%- endmacro %}
