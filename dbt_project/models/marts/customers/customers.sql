{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    on_schema_change='fail',
    meta={'visitor_column': 'customer_key', 'replace_when': 'touched.is_customer'}
) }}

{%- set touched_visitors = ref('int_touched_visitors') %}

with {{ touched_identifiers() }},

touched as (

    {% if is_incremental() %}
    select distinct customer_key
    from touched_identifiers
    {% else %}
    {{ every_customer() | indent(4) }}
    {% endif %}

),

ranked_profiles as (

    select
        profiles.*,
        row_number() over (
            partition by profiles.customer_key
            order by profiles.updated_at desc, profiles.ref_key asc
        ) as recency_rank
    from {{ rows_to_compute('int_profiles', 'stg_customers') }} as profiles
    inner join touched on profiles.customer_key = touched.customer_key

),

ranked_consents as (

    select
        consents.*,
        row_number() over (
            partition by consents.customer_key, consents.purpose
            order by consents.decided_at desc, consents.granted asc
        ) as recency_rank
    from {{ rows_to_compute('int_consents', 'stg_consents') }} as consents
    inner join touched on consents.customer_key = touched.customer_key

),

current_consents as (

    select
        customer_key,
        bool_and(granted) filter (where purpose = 'analytics') as consents_analytics,
        bool_and(granted) filter (where purpose = 'personalisation') as consents_personalisation,
        bool_and(granted) filter (where purpose = 'marketing') as consents_marketing
    from ranked_consents
    where recency_rank = 1
    group by 1

),

ranked_days as (

    select
        days.*,
        row_number() over (
            partition by days.customer_key
            order by days.activity_date desc
        ) as recency_rank
    from {{ ref('int_customer_days') }} as days
    {% if is_incremental() %}
    -- this join and not one to a CTE, so that the engine filters the days as it reads them
    inner join {{ touched_visitors }} as visitors on days.customer_key = visitors.visitor_key
    where visitors.is_customer
    {% endif %}

),

final as (

    select
        -- ids
        touched.customer_key,

        -- profile
        profiles.signed_up_at,
        profiles.birth_year,
        profiles.city,
        profiles.country,
        profiles.updated_at as profile_updated_at,

        -- consent
        consents.consents_analytics,
        consents.consents_personalisation,
        consents.consents_marketing,

        -- behaviour so far
        days.first_at_to_date as first_seen_at,
        days.last_at as last_seen_at,
        days.first_order_date_to_date as first_order_date,
        days.last_order_at_to_date as last_order_at,
        cast(coalesce(days.orders_to_date, 0) as bigint) as orders,
        coalesce(days.revenue_to_date, 0) as revenue,
        coalesce(days.return_amount_to_date, 0) as return_amount
    from touched
    left join ranked_profiles as profiles
        on
            touched.customer_key = profiles.customer_key
            and profiles.recency_rank = 1
    left join current_consents as consents on touched.customer_key = consents.customer_key
    left join ranked_days as days
        on
            touched.customer_key = days.customer_key
            and days.recency_rank = 1

)

select * from final
order by customer_key
