"""The SQL of the bare script: from landing files to features and labels, in plain DuckDB."""

KEYS = {
    "events": "event_id",
    "customers": "customer_ref, updated_at",
    "orders": "order_ref, status",
    "order_lines": "order_ref, line_number",
    "products": "product_ref, updated_at",
    "messages": "message_ref",
    "feedback": "feedback_ref",
    "consents": "customer_ref, purpose, decided_at",
}
HASHED = {
    "events": {"customer_key": "customer_ref", "anonymous_key": "anonymous_ref"},
    **{
        name: {"customer_key": "customer_ref"}
        for name in ("customers", "orders", "messages", "feedback", "consents")
    },
}
EVENT_COUNTS = {
    "page_views": "page_view", "product_views": "product_view", "searches": "search",
    "carts_added": "add_to_cart", "carts_removed": "remove_from_cart",
    "checkouts_started": "checkout_started", "logins": "login", "logins_failed": "login_failed",
    "messages_opened": "message_opened", "messages_clicked": "message_clicked",
    "support_contacts": "support_contact",
}  # fmt: skip
MEASURES = {
    "event_days": ("events", "app_events", "event_value", *EVENT_COUNTS),
    "order_days": (
        "orders", "revenue", "units", "lines", "gross_amount", "discount_amount", "returns",
        "return_amount", "cancellations", "store_orders", "morning_orders", "evening_orders",
    ),
    "product_days": ("products_new",),
    "message_days": ("messages", "message_cost"),
    "feedback_days": ("feedback_given", "ratings", "rating_sum"),
}  # fmt: skip
TOTALS = (
    "orders", "revenue", "units", "lines", "returns", "return_amount", "discount_amount",
    "gross_amount", "products_new", "events",
)  # fmt: skip


def read_entity(name: str) -> str:
    """Read one entity's files; of rows with one key the first one stays, names are hashed."""
    key = KEYS[name]
    hashed = HASHED.get(name, {})
    # a column of its own: "… and customer_key is null" in a join makes DuckDB compare all pairs
    browser = ", if(customer_key is null, anonymous_key, null) as unknown_browser"
    browser = browser if name == "events" else ""
    joins = "".join(
        f" left join (select {ref}, left(sha256($secret || sha256($secret || {ref})), 20) as {new}"
        f" from (select distinct {ref} from first_rows)) using ({ref})"
        for new, ref in hashed.items()
    )
    return f"""
    create table {name} as
    with files as (
        from read_parquet($files, filename = true, file_row_number = true,
            union_by_name = true, hive_partitioning = false)
    ), repeated as (
        select {key}, min((filename, file_row_number)) as place
        from files group by all having count(*) > 1
    ), first_rows as (
        select files.* from files left join repeated using ({key})
        where place is null or place = (filename, file_row_number)
    )
    select * exclude (filename, file_row_number){browser} from first_rows{joins}
    """


IDENTITY = """
create table identity as
select
    anonymous_key, min(occurred_at) as linked_at,
    arg_min(customer_key, (occurred_at, customer_key)) as linked_customer
from events where anonymous_key is not null and customer_key is not null group by 1
"""

SESSIONS = """
create table sessions as
with visits as (
    select coalesce(customer_key, linked_customer, events.anonymous_key) as visitor_key,
        coalesce(customer_key, linked_customer) as known_customer, event_id, occurred_at,
        event_type, channel, device, campaign_ref, page, value
    from events left join identity on identity.anonymous_key = unknown_browser
    where coalesce(customer_key, linked_customer, events.anonymous_key) is not null
), gaps as (
    select *, lag(occurred_at) over (
        partition by visitor_key order by occurred_at, event_id) as previous_at
    from visits
), numbered as (
    select *, sum(if(occurred_at - previous_at <= interval 30 minute, 0, 1)) over (
        partition by visitor_key order by occurred_at, event_id rows unbounded preceding) as number
    from gaps
)
select
    visitor_key, max(known_customer) as customer_key, min(occurred_at) as started_at,
    max(occurred_at) as ended_at, min_by(channel, (occurred_at, event_id)) as channel,
    min_by(device, (occurred_at, event_id)) as device,
    min_by(campaign_ref, (occurred_at, event_id)) as campaign_ref,
    min_by(page, (occurred_at, event_id)) as landing_page, count(*) as events,
    count(*) filter (event_type = 'page_view') as page_views,
    count(*) filter (event_type = 'product_view') as product_views,
    count(*) filter (event_type = 'add_to_cart') as carts_added,
    count(*) filter (event_type = 'checkout_started') as checkouts_started,
    count(*) filter (event_type = 'order_completed') as orders_completed,
    sum(value) filter (event_type = 'order_completed') as order_value
from numbered group by visitor_key, number
"""


def customer_days() -> str:
    """One row per customer and day with anything on it, with totals up to and with that day."""
    counts = ", ".join(
        f"count(*) filter (event_type = '{type_}') as {name}"
        for name, type_ in EVENT_COUNTS.items()
    )
    measures = ", ".join(
        f"cast(coalesce({table}.{name}, 0) as double) as {name}"
        for table, names in MEASURES.items()
        for name in names
    )
    joins = " ".join(f"left join {table} using (customer_key, activity_date)" for table in MEASURES)
    totals = ", ".join(f"sum({name}) over so_far as {name}_to_date" for name in TOTALS)
    return f"""
    create table customer_days as
    with event_days as (
        select coalesce(customer_key, linked_customer) as customer_key,
            cast(occurred_at as date) as activity_date,
            min(occurred_at) as first_at, max(occurred_at) as last_at, {counts},
            count(*) as events, count(*) filter (channel = 'app') as app_events,
            sum(value) as event_value
        from events left join identity
            on identity.anonymous_key = unknown_browser and occurred_at >= linked_at
        where coalesce(customer_key, linked_customer) is not null group by 1, 2
    ), order_days as (
        select customer_key, cast(ordered_at as date) as activity_date,
            min(ordered_at) as first_at, max(ordered_at) as last_at,
            max(ordered_at) filter (status = 'completed') as last_order_at,
            count(*) filter (status = 'completed') as orders,
            sum(net) filter (status = 'completed') as revenue,
            sum(units) filter (status = 'completed') as units,
            sum(line_count) filter (status = 'completed') as lines,
            sum(gross) filter (status = 'completed') as gross_amount,
            sum(discount) filter (status = 'completed') as discount_amount,
            count(*) filter (status = 'returned') as returns,
            sum(net) filter (status = 'returned') as return_amount,
            count(*) filter (status = 'cancelled') as cancellations,
            count(*) filter (status = 'completed' and channel = 'store') as store_orders,
            count(*) filter (status = 'completed' and hour(ordered_at) < 12) as morning_orders,
            count(*) filter (status = 'completed' and hour(ordered_at) >= 17) as evening_orders
        from order_states where customer_key is not null group by 1, 2
    ), product_days as (
        select customer_key, activity_date, count(*) as products_new from (
            select customer_key, product_ref, min(cast(ordered_at as date)) as activity_date
            from order_states join order_lines using (order_ref)
            where status = 'completed' and customer_key is not null group by 1, 2
        ) group by 1, 2
    ), message_days as (
        select customer_key, cast(sent_at as date) as activity_date, min(sent_at) as first_at,
            max(sent_at) as last_at, count(*) as messages, sum(cost) as message_cost
        from messages where not coalesce(is_control, false) group by 1, 2
    ), feedback_days as (
        select customer_key, cast(posted_at as date) as activity_date, min(posted_at) as first_at,
            max(posted_at) as last_at, count(*) as feedback_given, count(rating) as ratings,
            sum(rating) as rating_sum
        from feedback where customer_key is not null group by 1, 2
    ), active_days as (
        select customer_key, activity_date, min(first_at) as first_at, max(last_at) as last_at
        from (
            select customer_key, activity_date, first_at, last_at from event_days union all
            select customer_key, activity_date, first_at, last_at from order_days union all
            select customer_key, activity_date, first_at, last_at from message_days union all
            select customer_key, activity_date, first_at, last_at from feedback_days
        ) group by 1, 2
    ), measured as (
        select active_days.*, order_days.last_order_at, {measures} from active_days {joins}
    )
    select *,
        case when orders > 0 then activity_date - max(
            case when orders > 0 then activity_date end
        ) over (partition by customer_key order by activity_date
            rows between unbounded preceding and 1 preceding) end as days_since_previous_order,
        {totals},
        count(*) over so_far as active_days_to_date,
        count(*) filter (orders > 0) over so_far as order_days_to_date,
        max(last_order_at) over so_far as last_order_at_to_date,
        min(first_at) over so_far as first_at_to_date,
        min(case when orders > 0 then activity_date end) over so_far as first_order_date_to_date
    from measured window so_far as (
        partition by customer_key order by activity_date rows unbounded preceding)
    """
