{{ config(materialized='table', tags=['journeys']) }}

{%- set dimensions = ['everybody', 'segment', 'channel_group'] %}
{%- set keys = ['kpi_date', 'dimension', 'dimension_value'] %}

with segments as (

    select
        customer_key,
        segment_name
    from {{ source('marts', 'customer_segments') }}

),

steps as (

    select
        customer_key,
        cast(occurred_at as date) as step_date,
        step,
        session_id,
        order_ref,
        coalesce(channel_group, 'none') as channel_group,
        purchase_number
    from {{ ref('journey_steps') }}

),

sessions as (

    select
        sessions.session_date,
        sessions.visitor_key,
        sessions.orders_completed,
        sessions.channel_group,
        coalesce(segments.segment_name, 'none') as segment,
        'everybody' as everybody
    from {{ ref('sessions') }} as sessions
    left join segments on sessions.customer_key = segments.customer_key

),

order_groups as (

    select
        order_ref,
        min(channel_group) as channel_group
    from steps
    where
        step = 'order_completed'
        and order_ref is not null
    group by 1

),

orders as (

    select
        orders.order_date,
        orders.status,
        orders.net_amount,
        orders.units,
        coalesce(
            order_groups.channel_group,
            {{ channel_group('orders.channel') | indent(12) }}
        ) as channel_group,
        coalesce(segments.segment_name, 'none') as segment,
        'everybody' as everybody
    from {{ ref('orders') }} as orders
    left join order_groups on orders.order_ref = order_groups.order_ref
    left join segments on orders.customer_key = segments.customer_key

),

customer_days as (

    select
        days.activity_date,
        days.events,
        days.orders,
        days.first_order_date_to_date = days.activity_date as is_first_order,
        days.messages,
        days.messages_opened,
        days.messages_clicked,
        coalesce(segments.segment_name, 'none') as segment,
        'everybody' as everybody
    from {{ ref('int_customer_days') }} as days
    left join segments on days.customer_key = segments.customer_key

),

-- what a customer did on a day through one group of channels
group_days as (

    select
        step_date as activity_date,
        channel_group,
        count(session_id) as events,
        count(*) filter (where step = 'order_completed') as orders,
        bool_or(step = 'order_completed' and purchase_number = 1) as is_first_order,
        count(*) filter (where step = 'message_sent') as messages,
        count(*) filter (where step = 'message_opened') as messages_opened,
        count(*) filter (where step = 'message_clicked') as messages_clicked
    from steps
    group by step_date, channel_group, customer_key

),

order_days as (

    select
        customer_key,
        activity_date,
        cast(activity_date + interval {{ var('churned_after_days') | int }} day as date)
            as churn_date,
        lead(activity_date) over (
            partition by customer_key
            order by activity_date
        ) as next_order_date
    from {{ ref('int_customer_days') }}
    where orders > 0

),

order_day_groups as (

    select
        customer_key,
        step_date,
        min(channel_group) as channel_group
    from steps
    where step = 'order_completed'
    group by 1, 2

),

-- whoever has not ordered again in time, on the day on which that time is over
churned as (

    select
        order_days.churn_date,
        coalesce(order_day_groups.channel_group, 'none') as channel_group,
        coalesce(segments.segment_name, 'none') as segment,
        'everybody' as everybody
    from order_days
    left join order_day_groups
        on
            order_days.customer_key = order_day_groups.customer_key
            and order_days.activity_date = order_day_groups.step_date
    left join segments on order_days.customer_key = segments.customer_key
    where
        order_days.churn_date <= cast({{ as_of() }} as date)
        and coalesce(order_days.next_order_date > order_days.churn_date, true)

),

churn_rows as (

    {% for dimension in dimensions %}
    select
        churn_date as kpi_date,
        '{{ dimension }}' as dimension,
        {{ dimension }} as dimension_value
    from churned
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

session_rows as (

    {% for dimension in dimensions %}
    select
        session_date as kpi_date,
        '{{ dimension }}' as dimension,
        {{ dimension }} as dimension_value,
        visitor_key,
        orders_completed
    from sessions
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

order_rows as (

    {% for dimension in dimensions %}
    select
        order_date as kpi_date,
        '{{ dimension }}' as dimension,
        {{ dimension }} as dimension_value,
        status,
        net_amount,
        units
    from orders
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

activity_rows as (

    {% for dimension in dimensions %}
    select
        activity_date as kpi_date,
        '{{ dimension }}' as dimension,
        {{ dimension }} as dimension_value,
        events,
        orders,
        is_first_order,
        messages,
        messages_opened,
        messages_clicked
    from {% if dimension == 'channel_group' %}group_days{% else %}customer_days{% endif %}
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

{{ kpi_ctes(keys, with_churn=true) }}

select * from kpis
order by kpi_date, dimension, dimension_value
