"""The SQL of the bare script, continued: orders, customers, features at any instants, labels."""

DAYS = (7, 30, 90, 365)
LIFETIME = {
    "order_days": "order_days", "orders": "orders", "units": "units", "lines": "lines",
    "discount_amount": "discount", "gross_amount": "gross", "products_new": "products",
}  # fmt: skip
COUNTED_30D = (
    "page_views", "product_views", "searches", "carts_added", "carts_removed",
    "checkouts_started", "logins",
)  # fmt: skip
COUNTED_90D = (
    "products_new", "lines", "returns", "cancellations", "support_contacts", "messages",
    "messages_opened", "messages_clicked", "feedback_given", "discount_amount", "gross_amount",
    "app_events",
)  # fmt: skip

ORDERS = """
create table order_states as
with totals as (
    select order_ref, count(*) as line_count, sum(quantity) as units,
        sum(quantity * unit_price) as gross, sum(coalesce(discount, 0)) as discount,
        sum(quantity * unit_price - coalesce(discount, 0)) as net
    from order_lines group by 1
)
select orders.* replace (coalesce(status, 'completed') as status),
    coalesce(line_count, 0) as line_count, coalesce(units, 0) as units,
    coalesce(gross, 0) as gross, coalesce(discount, 0) as discount, coalesce(net, 0) as net
from orders left join totals using (order_ref);
create table newest_orders as
select * from order_states qualify row_number() over (partition by order_ref order by
    ordered_at desc, case status when 'returned' then 3 when 'cancelled' then 2 else 1 end desc
) = 1
"""

CUSTOMERS = """
create table customer_list as
with everyone as (
    select customer_key from events union select customer_key from orders
    union select customer_key from messages union select customer_key from feedback
    union select customer_key from customers union select customer_key from consents
), profiles as (
    select * from customers
    qualify row_number() over (partition by customer_key order by updated_at desc) = 1
), decisions as (
    select * from consents
    qualify row_number() over (partition by customer_key, purpose order by decided_at desc) = 1
), agreed as (
    select customer_key, bool_and(granted) filter (purpose = 'analytics') as consents_analytics,
        bool_and(granted) filter (purpose = 'personalisation') as consents_personalisation,
        bool_and(granted) filter (purpose = 'marketing') as consents_marketing
    from decisions group by 1
), newest_days as (
    select customer_key, first_at_to_date, last_at, last_order_at_to_date, orders_to_date,
        revenue_to_date, return_amount_to_date
    from customer_days
    qualify row_number() over (partition by customer_key order by activity_date desc) = 1
)
select everyone.customer_key, signed_up_at, year(birth_date) as birth_year, city, country,
    agreed.* exclude (customer_key), newest_days.* exclude (customer_key)
from everyone left join profiles using (customer_key) left join agreed using (customer_key)
left join newest_days using (customer_key)
where everyone.customer_key is not null
"""

SPINE_OF_HISTORY = """
select distinct customer_key, as_of
from (select as_of, max(population_days) as population_days from as_of_dates group by 1) as dates
join customer_days on last_at < as_of and epoch(as_of) - epoch(last_at) < population_days * 86400
where events > 0 or orders > 0
"""

LABELS = """
create table labels as
with population as (
    select customer_key, task, as_of, horizon_days, outcome
    from as_of_dates join feature_history using (as_of)
    where days_since_last_order < population_days
        or (population = 'active' and days_since_last_event < population_days)
), later as (
    select p.customer_key, task, as_of, sum(orders) as orders, sum(revenue) as revenue
    from population as p
    join (from customer_days where orders > 0) as d on p.customer_key = d.customer_key
        and d.last_at >= as_of and epoch(d.last_at) - epoch(as_of) < horizon_days * 86400
    group by 1, 2, 3
), active_later as (
    select distinct p.customer_key, task, as_of
    from population as p
    join (from customer_days where events > 0 or orders > 0) as d
        on p.customer_key = d.customer_key and p.outcome = 'no activity'
        and d.last_at >= as_of and epoch(d.last_at) - epoch(as_of) < horizon_days * 86400
)
select population.* exclude (outcome), case outcome
    when 'no purchase' then if(coalesce(orders, 0) > 0, 0.0, 1.0)
    when 'purchase' then if(coalesce(orders, 0) > 0, 1.0, 0.0)
    when 'no activity' then if(active_later.customer_key is null, 1.0, 0.0)
    else coalesce(revenue, 0) end as label
from population left join later using (customer_key, task, as_of)
left join active_later using (customer_key, task, as_of)
"""

KPIS = """
create table kpi_daily as
with days as (
    select activity_date as kpi_date, count(*) filter (events > 0 or orders > 0) as customers,
        count(*) filter (orders > 0) as buyers, sum(messages) as messages,
        sum(messages_opened) as messages_opened, sum(messages_clicked) as messages_clicked
    from customer_days group by 1
), visits as (
    select cast(started_at as date) as kpi_date, count(*) as sessions,
        count(distinct visitor_key) as visitors,
        count(*) filter (orders_completed > 0) as converted
    from sessions group by 1
), sales as (
    select cast(ordered_at as date) as kpi_date, count(*) filter (status = 'completed') as orders,
        sum(net) filter (status = 'completed') as revenue,
        sum(net) filter (status = 'returned') as returned
    from newest_orders group by 1
)
from days full join visits using (kpi_date) full join sales using (kpi_date)
"""


def features(table: str, spine: str) -> str:
    """One row per row of the spine (``customer_key``, ``as_of``), from the days visible then."""
    windows = [
        f"count(*) filter (orders > 0 and age < {days}) as order_days_{days}d, "
        f"coalesce(sum(revenue) filter (age < {days}), 0) as revenue_{days}d"
        for days in DAYS
    ]
    windows += [
        f"count(*) filter ((events > 0 or orders > 0) and age < {days}) as active_days_{days}d, "
        f"coalesce(sum(events) filter (age < {days}), 0) as events_{days}d"
        for days in DAYS[:3]
    ]
    for names, days in ((COUNTED_30D, 30), (COUNTED_90D, 90)):
        windows += [
            f"coalesce(sum({name}) filter (age < {days}), 0) as {name}_{days}d" for name in names
        ]
    lifetime = ", ".join(
        f"coalesce(max({name}_to_date), 0) as {total}_total" for name, total in LIFETIME.items()
    )
    lengths = ", ".join(
        f"cast(order_days_{days}d as double) as order_days_{days}d, revenue_{days}d"
        for days in DAYS
    )
    active = ", ".join(
        f"cast(active_days_{days}d as double) as active_days_{days}d, events_{days}d"
        for days in DAYS[:3]
    )
    recent = ", ".join(f"{name}_30d" for name in COUNTED_30D)
    return f"""
    create table {table} as
    with visible as (
        select spine.*, (epoch(as_of) - epoch(last_at)) / 86400 as age,
            customer_days.* exclude (customer_key)
        from ({spine}) as spine left join customer_days
            on spine.customer_key = customer_days.customer_key and last_at < as_of
    ), windows as (
        select customer_key, as_of,
            {lifetime},
            coalesce(max_by(revenue_to_date, activity_date), 0) as revenue_total,
            coalesce(max_by(return_amount_to_date, activity_date), 0) as return_amount_total,
            max(last_order_at_to_date) as last_order_at, min(first_at_to_date) as first_seen_at,
            min(first_order_date_to_date) as first_order_date,
            max(case when events > 0 then last_at end) as last_event_at,
            avg(days_since_previous_order) as order_gap_mean,
            stddev_samp(days_since_previous_order) as order_gap_deviation,
            max(days_since_previous_order) as order_gap_longest, {", ".join(windows)},
            sum(ratings) as ratings_total, sum(rating_sum) as rating_sum_total,
            coalesce(sum(store_orders), 0) as store_orders_total,
            coalesce(sum(morning_orders), 0) as morning_orders_total,
            coalesce(sum(evening_orders), 0) as evening_orders_total,
            coalesce(sum(orders) filter (isodow(activity_date) >= 6), 0) as weekend_orders_total
        from visible group by 1, 2
    ), ages as (
        select *, (epoch(as_of) - epoch(last_order_at)) / 86400 as days_since_last_order,
            (epoch(as_of) - epoch(last_event_at)) / 86400 as days_since_last_event,
            (epoch(as_of) - epoch(first_order_date)) / 86400 as days_since_first_order,
            (epoch(as_of) - epoch(first_seen_at)) / 86400 as days_since_first_seen
        from windows
    )
    select customer_key, as_of, days_since_last_order, days_since_last_event,
        days_since_first_order, days_since_first_seen, {lengths},
        cast(order_days_total as double) as order_days_total, orders_total,
        order_days_total / nullif(days_since_first_order / 30, 0) as order_days_per_month,
        revenue_total, revenue_90d / nullif(revenue_total, 0) as revenue_90d_share,
        order_gap_mean, order_gap_deviation, cast(order_gap_longest as double) as order_gap_longest,
        days_since_last_order / nullif(order_gap_mean, 0) as overdue_ratio,
        revenue_total / nullif(orders_total, 0) as average_order_value,
        units_total / nullif(orders_total, 0) as units_per_order,
        lines_total / nullif(orders_total, 0) as lines_per_order, products_total, products_new_90d,
        products_total / nullif(lines_total, 0) as product_variety, returns_90d,
        return_amount_total / nullif(revenue_total, 0) as return_rate, cancellations_90d,
        discount_total / nullif(gross_total, 0) as discount_share,
        discount_amount_90d / nullif(gross_amount_90d, 0) as discount_share_90d,
        store_orders_total / nullif(orders_total, 0) as store_order_share,
        app_events_90d / nullif(events_90d, 0) as app_event_share_90d,
        morning_orders_total / nullif(orders_total, 0) as morning_order_share,
        evening_orders_total / nullif(orders_total, 0) as evening_order_share,
        weekend_orders_total / nullif(orders_total, 0) as weekend_order_share,
        {active}, {recent}, support_contacts_90d, feedback_given_90d,
        rating_sum_total / nullif(ratings_total, 0) as rating_mean, messages_90d,
        messages_opened_90d / nullif(messages_90d, 0) as message_open_rate_90d,
        messages_clicked_90d / nullif(messages_90d, 0) as message_click_rate_90d
    from ages
    """
