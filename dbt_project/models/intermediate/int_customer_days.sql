{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    on_schema_change='fail',
    meta={
        'visitor_column': 'customer_key',
        'replace_when':
            'touched.is_customer and target.activity_date >= cast(touched.touched_from as date)',
    }
) }}

{%- set first_day = first_touched_day() %}
{%- set events_relation = events_to_compute() %}
{%- set event_counts = {
    'page_views': 'page_view',
    'product_views': 'product_view',
    'searches': 'search',
    'carts_added': 'add_to_cart',
    'carts_removed': 'remove_from_cart',
    'checkouts_started': 'checkout_started',
    'logins': 'login',
    'logins_failed': 'login_failed',
    'messages_opened': 'message_opened',
    'messages_clicked': 'message_clicked',
    'support_contacts': 'support_contact',
} %}
{%- set measures_by_source = {
    'event_days': ['events', 'app_events', 'event_value'] + event_counts.keys() | list,
    'order_days': [
        'orders', 'revenue', 'units', 'lines', 'gross_amount', 'discount_amount',
        'returns', 'return_amount', 'cancellations', 'store_orders', 'morning_orders',
        'evening_orders',
    ],
    'product_days': ['products_new'],
    'message_days': ['messages', 'message_cost'],
    'feedback_days': ['feedback_given', 'ratings', 'rating_sum'],
} %}
{%- set measures = measures_by_source.values() | sum(start=[]) %}
{%- set totals = [
    'orders', 'revenue', 'units', 'lines', 'returns', 'return_amount', 'discount_amount',
    'gross_amount', 'products_new', 'events',
] %}
{%- set running = totals + ['active_days', 'order_days'] %}

with {{ touched_identifiers() }},

touched as (

    {% if is_incremental() %}
    select
        visitor_key as customer_key,
        cast(touched_from as date) as first_day
    from {{ ref('int_touched_visitors') }}
    where is_customer and touched_from is not null
    {% else %}
    select
        customers.customer_key,
        {{ first_day }} as first_day
    from (
        {{ every_customer() | indent(8) }}
    ) as customers
    {% endif %}

),

-- An anonymous event counts once somebody was recognised on its browser. What came before the first
-- login joins the customer's sessions but no day: on that day nobody could know whose it was, and a
-- feature that knew would have seen a later login.
customer_events as (

    select
        customer_key,
        occurred_at,
        event_type,
        channel,
        event_value
    from {{ events_relation }}
    where
        occurred_at >= {{ first_day }}
        and occurred_at >= coalesce(linked_at, occurred_at)

),

event_days as (

    select
        events.customer_key,
        cast(events.occurred_at as date) as activity_date,
        min(events.occurred_at) as first_at,
        max(events.occurred_at) as last_at,
        {%- for name, type in event_counts.items() %}
        count(*) filter (where events.event_type = '{{ type }}') as {{ name }},
        {%- endfor %}
        count(*) as events,
        count(*) filter (where events.channel = 'app') as app_events,
        sum(events.event_value) as event_value
    from customer_events as events
    inner join touched
        on
            events.customer_key = touched.customer_key
            and cast(events.occurred_at as date) >= touched.first_day
    group by 1, 2

),

-- Each state of an order is a fact of its own day. The newest state alone would take an order that
-- comes back later out of the days before, where a feature must still see it.
touched_orders as (

    select
        states.customer_key,
        states.order_ref,
        states.ordered_at,
        cast(states.ordered_at as date) as order_date,
        states.status,
        states.channel,
        orders.line_count,
        orders.units,
        orders.gross_amount,
        orders.discount_amount,
        orders.net_amount,
        touched.first_day
    from {{ rows_to_compute('int_order_states', 'stg_orders') }} as states
    inner join {{ ref('orders') }} as orders on states.order_ref = orders.order_ref
    inner join touched on states.customer_key = touched.customer_key

),

order_days as (

    select
        customer_key,
        order_date as activity_date,
        min(ordered_at) as first_at,
        max(ordered_at) as last_at,
        max(ordered_at) filter (where status = 'completed') as last_order_at,
        count(*) filter (where status = 'completed') as orders,
        sum(net_amount) filter (where status = 'completed') as revenue,
        sum(units) filter (where status = 'completed') as units,
        sum(line_count) filter (where status = 'completed') as lines,
        sum(gross_amount) filter (where status = 'completed') as gross_amount,
        sum(discount_amount) filter (where status = 'completed') as discount_amount,
        count(*) filter (where status = 'returned') as returns,
        sum(net_amount) filter (where status = 'returned') as return_amount,
        count(*) filter (where status = 'cancelled') as cancellations,
        count(*) filter (where status = 'completed' and channel = 'store') as store_orders,
        count(*) filter (
            where status = 'completed' and extract(hour from ordered_at) < 12
        ) as morning_orders,
        count(*) filter (
            where status = 'completed' and extract(hour from ordered_at) >= 17
        ) as evening_orders
    from touched_orders
    where order_date >= first_day
    group by 1, 2

),

first_purchases as (

    select
        orders.customer_key,
        lines.product_ref,
        min(orders.order_date) as activity_date,
        min(orders.first_day) as first_day
    from touched_orders as orders
    inner join {{ ref('stg_order_lines') }} as lines on orders.order_ref = lines.order_ref
    where orders.status = 'completed'
    group by 1, 2

),

product_days as (

    select
        customer_key,
        activity_date,
        count(*) as products_new
    from first_purchases
    where activity_date >= first_day
    group by 1, 2

),

message_days as (

    select
        messages.customer_key,
        cast(messages.sent_at as date) as activity_date,
        min(messages.sent_at) as first_at,
        max(messages.sent_at) as last_at,
        count(*) as messages,
        sum(messages.cost) as message_cost
    from {{ rows_to_compute('int_messages', 'stg_messages') }} as messages
    inner join touched
        on
            messages.customer_key = touched.customer_key
            and cast(messages.sent_at as date) >= touched.first_day
    where
        not messages.is_control
        and messages.sent_at >= {{ first_day }}
    group by 1, 2

),

feedback_days as (

    select
        feedback.customer_key,
        cast(feedback.posted_at as date) as activity_date,
        min(feedback.posted_at) as first_at,
        max(feedback.posted_at) as last_at,
        count(*) as feedback_given,
        count(feedback.rating) as ratings,
        sum(feedback.rating) as rating_sum
    from {{ rows_to_compute('int_feedback', 'stg_feedback') }} as feedback
    inner join touched
        on
            feedback.customer_key = touched.customer_key
            and cast(feedback.posted_at as date) >= touched.first_day
    where feedback.posted_at >= {{ first_day }}
    group by 1, 2

),

active_days as (

    {% for source in ['event_days', 'order_days', 'message_days', 'feedback_days'] %}
    select
        customer_key,
        activity_date,
        first_at,
        last_at
    from {{ source }}
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

computed_days as (

    select
        customer_key,
        activity_date,
        min(first_at) as first_at,
        max(last_at) as last_at
    from active_days
    group by 1, 2

),

measured_days as (

    select
        days.customer_key,
        days.activity_date,
        days.first_at,
        days.last_at,
        order_days.last_order_at,
        {%- for source, names in measures_by_source.items() %}
        {%- for name in names %}
        cast(coalesce({{ source }}.{{ name }}, 0) as double) as {{ name }},
        {%- endfor %}
        {%- endfor %}
        case when order_days.orders > 0 then days.activity_date end as purchased_on
    from computed_days as days
    {% for source in measures_by_source %}
    left join {{ source }}
        on
            days.customer_key = {{ source }}.customer_key
            and days.activity_date = {{ source }}.activity_date
    {% endfor %}

),

-- what each customer has come to before the first day that is computed
known_totals as (

    {% if is_incremental() %}
    select
        days.customer_key,
        {%- for name in running %}
        max_by(days.{{ name }}_to_date, days.activity_date) as {{ name }},
        {%- endfor %}
        max_by(days.last_order_at_to_date, days.activity_date) as last_order_at,
        max_by(days.first_at_to_date, days.activity_date) as first_at,
        max_by(days.first_order_date_to_date, days.activity_date) as first_order_date
    from {{ this }} as days
    inner join touched
        on
            days.customer_key = touched.customer_key
            and days.activity_date < touched.first_day
    group by days.customer_key
    {% else %}
    select
        customer_key,
        {%- for name in running %}
        cast(0 as double) as {{ name }},
        {%- endfor %}
        cast(null as timestamp) as last_order_at,
        cast(null as timestamp) as first_at,
        cast(null as date) as first_order_date
    from touched
    where false
    {% endif %}

),

with_running_totals as (

    select
        -- ids
        days.customer_key,
        days.activity_date,

        -- times
        days.first_at,
        days.last_at,
        days.last_order_at,
        days.purchased_on
        - coalesce(max(days.purchased_on) over before, cast(known.last_order_at as date))
            as days_since_previous_order,

        -- measures of the day
        {%- for name in measures %}
        days.{{ name }},
        {%- endfor %}

        -- running totals, this day included
        {%- for name in totals %}
        coalesce(known.{{ name }}, 0) + sum(days.{{ name }}) over so_far as {{ name }}_to_date,
        {%- endfor %}
        coalesce(known.active_days, 0) + count(*) over so_far as active_days_to_date,
        coalesce(known.order_days, 0) + count(days.purchased_on) over so_far
            as order_days_to_date,
        coalesce(max(days.last_order_at) over so_far, known.last_order_at)
            as last_order_at_to_date,
        coalesce(known.first_at, min(days.first_at) over so_far) as first_at_to_date,
        coalesce(known.first_order_date, min(days.purchased_on) over so_far)
            as first_order_date_to_date
    from {{ few_rows('measured_days', touches_few_days()) }} as days
    left join known_totals as known on days.customer_key = known.customer_key
    window
        so_far as (
            partition by days.customer_key
            order by days.activity_date
            rows between unbounded preceding and current row
        ),
        before as (
            partition by days.customer_key
            order by days.activity_date
            rows between unbounded preceding and 1 preceding
        )

),

final as (

    select
        -- ids
        customer_key,
        activity_date,

        -- times
        first_at,
        last_at,
        last_order_at,
        cast(days_since_previous_order as integer) as days_since_previous_order,

        -- measures of the day
        {%- for name in measures %}
        {{ name }},
        {%- endfor %}

        -- running totals, this day included
        {%- for name in totals %}
        {{ name }}_to_date,
        {%- endfor %}
        cast(active_days_to_date as bigint) as active_days_to_date,
        cast(order_days_to_date as bigint) as order_days_to_date,
        last_order_at_to_date,
        first_at_to_date,
        first_order_date_to_date
    from with_running_totals

)

select * from final
order by activity_date, customer_key
