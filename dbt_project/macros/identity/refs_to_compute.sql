{#
    CTEs up to `component_refs`: every ref whose customer is computed anew. These are the refs that
    this run's evidence touches, the refs beside them on an identifier that joins people, and
    whoever was one customer with any of these; in a rebuild all.
#}
{% macro refs_to_compute() -%}
{%- set entities = ['events', 'orders', 'messages', 'feedback', 'customers', 'consents'] -%}
named_refs as (
    {% for entity in entities %}
    {% if not loop.first %}

    union

    {% endif %}
    select ref_key
    from {{ ref('stg_' ~ entity) }}
    where ref_key is not null{% if is_incremental() %} and {{ in_this_run() }}{% endif %}
    {%- endfor %}
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

    -- as a join of three the planner may join all edges to each other first
    select beside.ref_key
    from edges as beside
    where
        beside.identifier_key in (
            select edges.identifier_key
            from edges
            inner join changed_refs on edges.ref_key = changed_refs.ref_key
            where edges.joins_people
        )

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

)
{% else %}
component_refs as (

    select ref_key
    from named_refs

)
{% endif %}
{%- endmacro %}
