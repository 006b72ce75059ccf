{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='identifier_key',
    on_schema_change='fail'
) }}

{%- set entities = ['events', 'orders', 'messages', 'feedback', 'customers', 'consents'] %}

-- Who is who. Only the components that this run's evidence touches are computed: their refs, the
-- refs beside them on a shared identifier, and whoever was one customer with any of these.

with recursive named_refs as (
    {% for entity in entities %}
    {% if not loop.first %}

    union

    {% endif %}
    select ref_key
    from {{ ref('stg_' ~ entity) }}
    where ref_key is not null{% if is_incremental() %} and {{ in_this_run() }}{% endif %}
    {%- endfor %}
),

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

),

{% if is_incremental() %}
changed_refs as (

    select named_refs.ref_key
    from named_refs
    left join {{ this }} as known on named_refs.ref_key = known.identifier_key
    where known.identifier_key is null

    union

    select ref_key
    from edges
    where {{ in_this_run('changed_batch_id') }}

    union

    select ref_key
    from {{ ref('stg_customers') }}
    where {{ in_this_run() }}

    union

    select ref_key
    from decisions
    where {{ in_this_run() }}

    union

    select ref_key
    from matches
    where {{ in_this_run('changed_batch_id') }}

),

touched_refs as (

    select ref_key
    from changed_refs

    union

    select beside.ref_key
    from edges
    inner join changed_refs on edges.ref_key = changed_refs.ref_key
    inner join edges as beside on edges.identifier_key = beside.identifier_key
    where edges.joins_people

    union

    select matches.other_key
    from matches
    inner join changed_refs on matches.ref_key = changed_refs.ref_key

),

touched_persons as (

    select distinct known.customer_key
    from {{ this }} as known
    inner join touched_refs on known.identifier_key = touched_refs.ref_key

),

component_refs as (

    select ref_key
    from touched_refs

    union

    select members.identifier_key as ref_key
    from {{ this }} as members
    inner join touched_persons on members.customer_key = touched_persons.customer_key
    where members.identifier_kind = 'customer'

),
{% else %}
component_refs as (

    select ref_key
    from named_refs

),
{% endif %}

-- everyone on an identifier of these refs, also those who stay apart
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

identifier_facts as (

    select
        neighbourhood.identifier_key,
        count(distinct neighbourhood.ref_key) > max(neighbourhood.max_refs)
        or max(neighbourhood.placeholder_reason) is not null as is_cut,
        case
            when count(distinct profile_facts.birth_year) = 1 then max(profile_facts.birth_year)
        end as only_birth_year
    from neighbourhood
    left join profile_facts on neighbourhood.ref_key = profile_facts.ref_key
    group by 1

),

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
        and not facts.is_cut

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

),

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
        and facts.is_cut
    group by 1

),

ref_rows as (

    select
        refs.ref_key as identifier_key,
        'customer' as identifier_kind,
        persons.customer_key,
        true as is_owner,
        refs.first_seen_at as linked_at,
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

),

identifier_owners as (

    select
        links.identifier_key,
        links.identifier_kind,
        case when not facts.is_cut then persons.customer_key end as customer_key,
        min(links.first_at) as linked_at
    from neighbourhood as links
    inner join persons on links.ref_key = persons.ref_key
    inner join identifier_facts as facts on links.identifier_key = facts.identifier_key
    group by 1, 2, 3

),

identifier_rows as (

    select
        owned.identifier_key,
        owned.identifier_kind,
        owned.customer_key,
        not facts.is_cut and count(*) over (partition by owned.identifier_key) = 1 as is_owner,
        owned.linked_at,
        case when facts.is_cut then 'guardrail' end as evidence_kind,
        cast(null as varchar) as evidence_key
    from identifier_owners as owned
    inner join identifier_facts as facts on owned.identifier_key = facts.identifier_key

),

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
