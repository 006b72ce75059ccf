{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='anonymous_key',
    on_schema_change='fail'
) }}

-- A browser or device belongs to the customer who logged in on it first.

with new_links as (

    select
        anonymous_key,
        ref_key as customer_key,
        min(occurred_at) as linked_at
    from {{ ref('stg_events') }}
    where
        anonymous_key is not null
        and ref_key is not null{% if is_incremental() %} and {{ in_this_run() }}{% endif %}
    group by 1, 2

),

known_links as (

    {% if is_incremental() %}
    select
        anonymous_key,
        customer_key,
        linked_at
    from {{ this }}
    where anonymous_key in (select new_links.anonymous_key from new_links)
    {% else %}
    select
        anonymous_key,
        customer_key,
        linked_at
    from new_links
    where false
    {% endif %}

),

candidates as (

    select * from new_links
    union all
    select * from known_links

),

ranked_links as (

    select
        anonymous_key,
        customer_key,
        linked_at,
        row_number() over (
            partition by anonymous_key
            order by linked_at, customer_key
        ) as link_rank
    from candidates

),

first_links as (

    select
        anonymous_key,
        customer_key,
        linked_at
    from ranked_links
    where link_rank = 1

),

changed_links as (

    select
        -- ids
        first_links.anonymous_key,
        first_links.customer_key,
        known_links.customer_key as previous_customer_key,

        -- evidence
        first_links.linked_at,

        -- lineage
        cast({{ last_batch_id() }} as bigint) as changed_batch_id
    from first_links
    left join known_links on first_links.anonymous_key = known_links.anonymous_key
    where
        known_links.anonymous_key is null
        or known_links.customer_key <> first_links.customer_key
        or known_links.linked_at <> first_links.linked_at

)

select * from changed_links
