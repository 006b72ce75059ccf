{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='fail',
    meta={'day_column': 'kpi_date'}
) }}

{%- set first_day = first_changed_day() %}

with customer_days as (

    select * from {{ ref('int_customer_days') }}
    where activity_date >= {{ first_day }}

),

session_days as (

    select
        session_date as kpi_date,
        count(*) as sessions,
        count(*) filter (where orders_completed > 0) as converted_sessions,
        count(distinct visitor_key) as visitors
    from {{ ref('sessions') }}
    where session_date >= {{ first_day }}
    group by 1

),

sales_days as (

    select
        order_date as kpi_date,
        count(*) filter (where status = 'completed') as orders,
        coalesce(sum(net_amount) filter (where status = 'completed'), 0) as revenue,
        coalesce(sum(units) filter (where status = 'completed'), 0) as units,
        count(*) filter (where status = 'returned') as returns,
        coalesce(sum(net_amount) filter (where status = 'returned'), 0) as return_amount
    from {{ ref('orders') }}
    where order_date >= {{ first_day }}
    group by 1

),

activity_days as (

    select
        activity_date as kpi_date,
        count(*) filter (where events > 0 or orders > 0) as active_customers,
        count(*) filter (where orders > 0) as buying_customers,
        count(*) filter (
            where orders > 0 and first_order_date_to_date = activity_date
        ) as new_customers,
        cast(sum(messages) as bigint) as messages_sent,
        cast(sum(messages_opened) as bigint) as messages_opened,
        cast(sum(messages_clicked) as bigint) as messages_clicked
    from customer_days
    group by 1

),

days as (

    select kpi_date from activity_days
    union
    select kpi_date from session_days
    union
    select kpi_date from sales_days

),

final as (

    select
        -- ids
        days.kpi_date,

        -- customers
        coalesce(activity_days.active_customers, 0) as active_customers,
        coalesce(activity_days.buying_customers, 0) as buying_customers,
        coalesce(activity_days.new_customers, 0) as new_customers,

        -- traffic
        coalesce(session_days.visitors, 0) as visitors,
        coalesce(session_days.sessions, 0) as sessions,
        coalesce(session_days.converted_sessions, 0) as converted_sessions,
        session_days.converted_sessions / nullif(session_days.sessions, 0) as conversion_rate,

        -- sales
        coalesce(sales_days.orders, 0) as orders,
        coalesce(sales_days.revenue, 0) as revenue,
        coalesce(sales_days.units, 0) as units,
        sales_days.revenue / nullif(sales_days.orders, 0) as average_order_value,
        coalesce(sales_days.returns, 0) as returns,
        coalesce(sales_days.return_amount, 0) as return_amount,
        sales_days.return_amount / nullif(sales_days.revenue, 0) as refund_rate,

        -- messages
        coalesce(activity_days.messages_sent, 0) as messages_sent,
        coalesce(activity_days.messages_opened, 0) as messages_opened,
        coalesce(activity_days.messages_clicked, 0) as messages_clicked
    from days
    left join activity_days on days.kpi_date = activity_days.kpi_date
    left join session_days on days.kpi_date = session_days.kpi_date
    left join sales_days on days.kpi_date = sales_days.kpi_date

)

select * from final
order by kpi_date
