{#
    CTE `identifier_rows`: whose each identifier is. It is its first customer's until it names a
    second one or a guardrail cuts it. Both are known by then, so a later row takes nothing from the
    days before.
#}
{% macro identifier_rows() -%}
identifier_customers as (

    select
        links.identifier_key,
        links.identifier_kind,
        persons.customer_key,
        min(links.first_at) as linked_at,
        row_number() over in_order as customer_number,
        lead(min(links.first_at)) over in_order as next_at
    from neighbourhood as links
    inner join persons on links.ref_key = persons.ref_key
    group by 1, 2, 3
    window in_order as (
        partition by links.identifier_key
        order by min(links.first_at), persons.customer_key
    )

),

identifier_spans as (

    select
        customers.identifier_key,
        customers.identifier_kind,
        customers.customer_key,
        customers.linked_at,
        facts.cut_at,
        least(customers.next_at, facts.cut_at) as owned_until,
        customers.customer_number = 1
        and coalesce(customers.linked_at < least(customers.next_at, facts.cut_at), true)
            as is_owner
    from identifier_customers as customers
    inner join identifier_facts as facts on customers.identifier_key = facts.identifier_key

),

-- whom else a cut identifier names tells nothing: a kiosk has thousands
identifier_rows as (

    select
        identifier_key,
        identifier_kind,
        case when is_owner or cut_at is null then customer_key end as customer_key,
        is_owner,
        min(linked_at) as linked_at,
        min(owned_until) filter (where is_owner) as owned_until,
        case when cut_at is not null then 'guardrail' end as evidence_kind,
        cast(null as varchar) as evidence_key
    from identifier_spans
    group by 1, 2, 3, 4, 7

)
{%- endmacro %}
