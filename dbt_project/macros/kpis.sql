{#
    The one definition of every KPI. It reads three relations, each with the `keys`: `session_rows`
    (one row per session), `order_rows` (one per order, in its newest state) and `activity_rows` (one
    per customer and keys), and gives `kpis` with one row per keys. `with_churn` adds those who churned,
    from `churn_rows` (one per customer and keys).
#}
{% macro kpi_ctes(keys, with_churn=false) -%}
{%- set key_list = keys | join(', ') -%}
session_days as (

    select
        {{ key_list }},
        count(*) as sessions,
        count(*) filter (where orders_completed > 0) as converted_sessions,
        count(distinct visitor_key) as visitors
    from session_rows
    group by {{ key_list }}

),

sales_days as (

    select
        {{ key_list }},
        count(*) filter (where status = 'completed') as orders,
        coalesce(sum(net_amount) filter (where status = 'completed'), 0) as revenue,
        coalesce(sum(units) filter (where status = 'completed'), 0) as units,
        count(*) filter (where status = 'returned') as returns,
        coalesce(sum(net_amount) filter (where status = 'returned'), 0) as return_amount
    from order_rows
    group by {{ key_list }}

),

activity_days as (

    select
        {{ key_list }},
        count(*) filter (where events > 0 or orders > 0) as active_customers,
        count(*) filter (where orders > 0) as buying_customers,
        count(*) filter (where orders > 0 and is_first_order) as new_customers,
        cast(sum(messages) as bigint) as messages_sent,
        cast(sum(messages_opened) as bigint) as messages_opened,
        cast(sum(messages_clicked) as bigint) as messages_clicked
    from activity_rows
    group by {{ key_list }}

),

{% if with_churn %}
churn_days as (

    select
        {{ key_list }},
        count(*) as churned_customers
    from churn_rows
    group by {{ key_list }}

),
{% endif %}

days as (

    {% if with_churn %}
    select {{ key_list }} from churn_days
    union
    {% endif %}
    select {{ key_list }} from activity_days
    union
    select {{ key_list }} from session_days
    union
    select {{ key_list }} from sales_days

),

kpis as (

    select
        -- ids
        {%- for key in keys %}
        days.{{ key }},
        {%- endfor %}

        -- customers
        coalesce(activity_days.active_customers, 0) as active_customers,
        coalesce(activity_days.buying_customers, 0) as buying_customers,
        coalesce(activity_days.new_customers, 0) as new_customers,
        coalesce(activity_days.buying_customers - activity_days.new_customers, 0)
            as returning_customers,
        {%- if with_churn %}
        coalesce(churn_days.churned_customers, 0) as churned_customers,
        {%- endif %}

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
        coalesce(activity_days.messages_clicked, 0) as messages_clicked,
        activity_days.messages_clicked / nullif(activity_days.messages_sent, 0) as response_rate
    from days
    {%- set relations = ['activity_days', 'session_days', 'sales_days'] %}
    {%- if with_churn %}{% do relations.append('churn_days') %}{% endif %}
    {%- for relation in relations %}
    left join {{ relation }}
        on
            {%- for key in keys %}
            {% if not loop.first %}and {% endif %}days.{{ key }} = {{ relation }}.{{ key }}
            {%- endfor %}
    {%- endfor %}

)
{%- endmacro %}
