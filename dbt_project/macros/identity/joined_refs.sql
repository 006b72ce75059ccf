{#
    CTEs up to `persons`: the customer of every ref. `pairs` has what joins two refs: an identifier
    that no guardrail cuts, a match, a decision.
#}
{% macro joined_refs() -%}
-- an identifier joins the refs of one decided group, and of one birth year where it needs that
joining_links as (

    select distinct
        refs.ref_key,
        refs.ref_rank,
        links.identifier_key,
        links.identifier_kind,
        links.strength,
        coalesce(refs.group_key, '') as group_key,
        case
            when links.needs_same_birth_year
                then coalesce(profile_facts.birth_year, facts.only_birth_year, 0)
            else 0
        end as birth_year
    from neighbourhood as links
    inner join ranked_refs as refs on links.ref_key = refs.ref_key
    inner join identifier_facts as facts on links.identifier_key = facts.identifier_key
    left join profile_facts on links.ref_key = profile_facts.ref_key
    where
        links.joins_people
        and facts.cut_at is null

),

pairs as (

    select
        links.ref_key,
        others.ref_key as other_key,
        others.ref_rank as other_rank,
        links.identifier_kind as evidence_kind,
        links.identifier_key as evidence_key,
        links.strength
    from joining_links as links
    inner join joining_links as others
        on
            links.identifier_key = others.identifier_key
            and links.group_key = others.group_key
            and links.birth_year = others.birth_year
            and links.ref_key <> others.ref_key

    union all

    select
        refs.ref_key,
        others.ref_key as other_key,
        others.ref_rank as other_rank,
        'match' as evidence_kind,
        others.ref_key as evidence_key,
        matches.probability as strength
    from matches
    inner join ranked_refs as refs on matches.ref_key = refs.ref_key
    inner join ranked_refs as others on matches.other_key = others.ref_key
    where
        matches.decision = 'same'
        and coalesce(refs.group_key, '') = coalesce(others.group_key, '')

    union all

    select
        refs.ref_key,
        others.ref_key as other_key,
        others.ref_rank as other_rank,
        'decision' as evidence_kind,
        refs.group_key as evidence_key,
        1.0 as strength
    from ranked_refs as refs
    inner join ranked_refs as others
        on
            refs.group_key = others.group_key
            and refs.ref_key <> others.ref_key

),

reached as (

    {{ reachable('ranked_refs', 'pairs') | indent(4) }}

),

owners as (

    select
        reached.ref_key,
        min(reached.reached_rank) as owner_rank
    from reached
    group by 1

),

persons as (

    select
        owners.ref_key,
        oldest.ref_key as customer_key
    from owners
    inner join ranked_refs as oldest on owners.owner_rank = oldest.ref_rank
    {%- if is_incremental() %}

    union all

    select
        known.identifier_key as ref_key,
        known.customer_key
    from {{ this }} as known
    inner join concerned_refs on known.identifier_key = concerned_refs.ref_key
    left join component_refs on known.identifier_key = component_refs.ref_key
    where component_refs.ref_key is null
    {%- endif %}

)
{%- endmacro %}
