{{ config(
    materialized='incremental',
    incremental_strategy='replace_days',
    on_schema_change='fail',
    meta={'day_column': 'kpi_date'}
) }}

{%- set first_day = first_changed_day() %}

with session_rows as (

    select
        session_date as kpi_date,
        visitor_key,
        orders_completed
    from {{ ref('sessions') }}
    where session_date >= {{ first_day }}

),

order_rows as (

    select
        order_date as kpi_date,
        status,
        net_amount,
        units
    from {{ ref('orders') }}
    where order_date >= {{ first_day }}

),

activity_rows as (

    select
        activity_date as kpi_date,
        events,
        orders,
        first_order_date_to_date = activity_date as is_first_order,
        messages,
        messages_opened,
        messages_clicked
    from {{ ref('int_customer_days') }}
    where activity_date >= {{ first_day }}

),

{{ kpi_ctes(['kpi_date']) }}

select * from kpis
order by kpi_date
