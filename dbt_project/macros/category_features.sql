{#
    What is known of a customer and a category at an instant: the one definition, for past instants
    (training) and for now (scoring).

    `spine` names a relation with one row per `customer_key` and `as_of`; the result has one for each
    of them and each of the categories with the most order lines in the 365 days before the instant.
    A day is visible once its last moment lies before the instant.
#}
{% macro category_features(spine) -%}

with instants as (

    select distinct as_of from {{ spine }}

),

recent_days as (

    select
        instants.as_of,
        days.customer_key,
        days.category,
        days.lines,
        {{ days_between('days.last_at', 'instants.as_of') }} < 90 as is_in_90d
    from instants
    inner join {{ ref('int_category_days') }} as days
        on
            days.last_at < instants.as_of
            and {{ days_between('days.last_at', 'instants.as_of') }} < 365

),

everyone as (

    select
        as_of,
        count(distinct customer_key) filter (where is_in_90d) as buyers_90d
    from recent_days
    group by 1

),

categories as (

    select
        as_of,
        category,
        count(distinct customer_key) filter (where is_in_90d) as buyers_90d,
        row_number() over (
            partition by as_of order by sum(lines) desc, category asc
        ) as place
    from recent_days
    group by 1, 2

),

top_categories as (

    select
        categories.as_of,
        categories.category,
        categories.buyers_90d / nullif(everyone.buyers_90d, 0) as popularity_90d
    from categories
    inner join everyone on categories.as_of = everyone.as_of
    where
        categories.place <= (select max(top_categories) from {{ source('ops', 'as_of_dates') }})

),

visible_days as (

    select
        spine.customer_key,
        spine.as_of,
        days.category,
        days.order_date,
        days.last_at,
        days.lines,
        {{ days_between('days.last_at', 'spine.as_of') }} as age_days
    from {{ spine }} as spine
    inner join {{ ref('int_category_days') }} as days
        on
            spine.customer_key = days.customer_key
            and days.last_at < spine.as_of

),

all_lines as (

    select
        customer_key,
        as_of,
        sum(lines) as lines
    from visible_days
    group by 1, 2

),

own_categories as (

    select
        customer_key,
        as_of,
        category,
        min(age_days) as days_since_last_order,
        count(*) as order_days_total,
        count(*) filter (where age_days < 90) as order_days_90d,
        count(*) filter (where age_days < 365) as order_days_365d,
        max(order_date) - min(order_date) as days_between_first_and_last,
        sum(lines) as lines
    from visible_days
    group by 1, 2, 3

),

final as (

    select
        -- ids
        spine.customer_key,
        top_categories.category,
        spine.as_of,

        -- features
        own.days_since_last_order as category_days_since_last_order,
        cast(coalesce(own.order_days_90d, 0) as double) as category_order_days_90d,
        cast(coalesce(own.order_days_365d, 0) as double) as category_order_days_365d,
        cast(coalesce(own.order_days_total, 0) as double) as category_order_days_total,
        own.days_between_first_and_last / nullif(own.order_days_total - 1.0, 0)
            as category_gap_mean,
        coalesce(own.lines, 0) / nullif(all_lines.lines, 0) as category_line_share,
        top_categories.popularity_90d as category_popularity_90d
    from {{ spine }} as spine
    inner join top_categories on spine.as_of = top_categories.as_of
    left join own_categories as own
        on
            spine.customer_key = own.customer_key
            and spine.as_of = own.as_of
            and top_categories.category = own.category
    left join all_lines
        on
            spine.customer_key = all_lines.customer_key
            and spine.as_of = all_lines.as_of

)

select * from final
{%- endmacro %}
