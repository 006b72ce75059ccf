{#
    What is known of a running session at an instant: the one definition, for instants in past
    sessions (training) and for the sessions that are open now (scoring).

    `points` names a relation with one row per `point_id`: its `session_id`, the instant
    `observed_at`, and of the newest event by then the browser `device_key` and whether its customer
    is recognised, `is_known`. `events` has the events of these sessions, `device_days` the days on
    which browsers were seen.

    A session joins what a login tells later. So a point counts the events of its own browser, and
    those of other browsers only where both were known to be of one customer by then; the
    customer's own features are those of the midnight before.

    A session that has had its order, or in which nothing was done but to read messages, has no row.
#}
{% macro session_features(points, events, device_days) -%}
{%- set types = {
    'page_views': 'page_view',
    'product_views': 'product_view',
    'searches': 'search',
    'carts_added': 'add_to_cart',
    'carts_removed': 'remove_from_cart',
    'checkouts_started': 'checkout_started',
    'logins': 'login',
} -%}
{%- set groups = ['direct', 'organic', 'paid', 'email', 'push', 'social', 'referral', 'app'] -%}

with seen_events as (

    select
        points.point_id,
        points.observed_at,
        points.device_key,
        events.event_id,
        events.occurred_at,
        events.event_type,
        events.product_ref,
        events.channel,
        events.device,
        events.referrer,
        events.campaign_ref,
        case when points.is_known then events.customer_key end as customer_key
    from {{ points }} as points
    inner join {{ events }} as events
        on
            points.session_id = events.session_id
            and points.observed_at >= events.occurred_at
    where
        points.device_key is not distinct from events.anonymous_key
        or (
            points.is_known
            and (events.ref_key is not null or points.observed_at >= events.linked_at)
        )

),

prefixes_by_entry as (

    select
        -- ids
        point_id,
        observed_at,
        device_key,
        max(customer_key) as customer_key,

        -- times
        min(occurred_at) as started_at,
        max(occurred_at) as last_at,
        cast(min(occurred_at) as date) as started_on,
        cast(min(occurred_at) as date) - interval 90 day as first_day,
        max(occurred_at) filter (where event_type = 'product_view') as last_viewed_at,

        -- entry
        min_by(
            {{ as_struct(['channel', 'referrer', 'campaign_ref']) }}, (occurred_at, event_id)
        ) as entry,
        min_by(device, (occurred_at, event_id)) as device,

        -- measures
        count(*) as events,
        count(distinct case when event_type = 'product_view' then product_ref end)
            as products_viewed,
        {%- for name, type in types.items() %}
        count(*) filter (where event_type = '{{ type }}') as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from seen_events
    group by 1, 2, 3
    having
        count(*) filter (where event_type = 'order_completed') = 0
        and count(*) filter (where event_type not in ('message_opened', 'message_clicked')) > 0

),

prefixes as (

    select
        *,
        {{ channel_group('entry.channel', 'entry.referrer', 'entry.campaign_ref') | indent(8) }}
            as channel_group
    from prefixes_by_entry

),

earlier_days as (

    select
        prefixes.point_id,
        count(days.seen_on) as device_days,
        max(days.seen_on) as last_seen_on
    from prefixes
    left join {{ device_days }} as days
        on
            prefixes.device_key = days.anonymous_key
            and prefixes.started_on > days.seen_on
            and prefixes.first_day <= days.seen_on
    group by 1

),

customer_spine as (

    select distinct
        customer_key,
        cast(cast(observed_at as date) as timestamp) as as_of
    from prefixes
    where customer_key is not null

),

known_customers as (

    {{ customer_features('customer_spine') | indent(4) }}

),

final as (

    select
        -- ids
        prefixes.point_id,

        -- the session so far
        cast(prefixes.events as double) as session_events,
        {%- for name in types %}
        cast(prefixes.{{ name }} as double) as session_{{ name }},
        {%- endfor %}
        cast(prefixes.products_viewed as double) as session_products_viewed,
        cast(prefixes.carts_added > prefixes.carts_removed as double) as session_has_cart,
        {{ seconds_between('prefixes.started_at', 'prefixes.observed_at') }} as session_seconds,
        {{ seconds_between('prefixes.last_at', 'prefixes.observed_at') }} as session_idle_seconds,
        {{ seconds_between('prefixes.started_at', 'prefixes.last_at') }}
        / nullif(prefixes.events - 1, 0) as session_seconds_per_event,
        {{ seconds_between('prefixes.last_viewed_at', 'prefixes.observed_at') }}
            as seconds_since_product_view,

        -- how and when
        {%- for name in groups %}
        cast(prefixes.channel_group = '{{ name }}' as double) as entry_by_{{ name }},
        {%- endfor %}
        cast(coalesce(prefixes.device = 'mobile', false) as double) as on_mobile,
        cast(coalesce(prefixes.device = 'desktop', false) as double) as on_desktop,
        cast(extract(hour from prefixes.observed_at) as double) as session_hour,
        cast({{ day_of_week('prefixes.observed_at') }} as double) as session_weekday,

        -- who
        cast(days.device_days as double) as device_days_90d,
        cast(prefixes.started_on - days.last_seen_on as double)
            as days_since_device_seen,
        cast(prefixes.customer_key is not null as double) as customer_is_known,
        {%- for name in customer_names_of_sessions() %}
        customers.{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from prefixes
    inner join earlier_days as days on prefixes.point_id = days.point_id
    left join known_customers as customers
        on
            prefixes.customer_key = customers.customer_key
            and cast(cast(prefixes.observed_at as date) as timestamp) = customers.as_of

)

select * from final
{%- endmacro %}

{# Features of the customer that a session knows, by the names of `customer_features`. #}
{% macro customer_names_of_sessions() -%}
    {{ return([
        'days_since_last_order', 'order_days_90d', 'order_days_total', 'revenue_90d',
        'average_order_value', 'order_gap_mean', 'overdue_ratio', 'active_days_30d',
        'events_30d', 'product_views_30d', 'carts_added_30d', 'days_since_last_cart',
        'abandoned_cart_share_90d',
    ]) }}
{%- endmacro %}

{# The features of `session_features`, in its order. #}
{% macro session_feature_names() -%}
    {{ return([
        'session_events', 'session_page_views', 'session_product_views', 'session_searches',
        'session_carts_added', 'session_carts_removed', 'session_checkouts_started',
        'session_logins', 'session_products_viewed', 'session_has_cart', 'session_seconds',
        'session_idle_seconds', 'session_seconds_per_event', 'seconds_since_product_view',
        'entry_by_direct',
        'entry_by_organic', 'entry_by_paid', 'entry_by_email', 'entry_by_push',
        'entry_by_social', 'entry_by_referral', 'entry_by_app', 'on_mobile', 'on_desktop',
        'session_hour', 'session_weekday', 'device_days_90d', 'days_since_device_seen',
        'customer_is_known',
    ] + customer_names_of_sessions()) }}
{%- endmacro %}

{#
    CTEs `session_events` and `device_days` for `session_features`: the events of `sessions`, a
    CTE of sessions of people, from `first_at` on. `events` names a relation like int_events that
    has them, where there is a smaller one.
#}
{% macro events_of_sessions(first_at, events=ref('int_events')) -%}
events as (

    select
        visitor_key,
        customer_key,
        ref_key,
        anonymous_key,
        linked_at,
        event_id,
        occurred_at,
        event_type,
        product_ref,
        channel,
        device,
        referrer,
        campaign_ref
    from {{ events }}
    where
        occurred_at >= {{ first_at }}
        and not {{ is_bot_agent('user_agent') }}

),

session_events as (

    select
        sessions.session_id,
        sessions.visitor_key,
        events.customer_key,
        events.ref_key,
        events.anonymous_key,
        events.linked_at,
        events.event_id,
        events.occurred_at,
        events.event_type,
        events.product_ref,
        events.channel,
        events.device,
        events.referrer,
        events.campaign_ref
    from events
    {{ join_sessions() }}

),

device_days as (

    select distinct
        anonymous_key,
        cast(occurred_at as date) as seen_on
    from {{ ref('stg_events') }}
    where
        occurred_at >= {{ first_at }} - interval 90 day
        and anonymous_key in (
            select session_events.anonymous_key
            from session_events
            where session_events.anonymous_key is not null
        )

)
{%- endmacro %}
