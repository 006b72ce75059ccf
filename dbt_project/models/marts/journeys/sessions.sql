{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    on_schema_change='fail',
    meta={
        'visitor_column': 'visitor_key',
        'replace_when': 'target.ended_at >= touched.touched_from - ' ~ session_gap(),
    }
) }}

-- A new session starts after 30 minutes without an event of the same visitor.

with visitor_events as (

    select
        visitor_key,
        customer_key,
        event_id,
        occurred_at,
        event_type,
        channel,
        device,
        campaign_ref,
        page,
        event_value
    from {{ ref('int_events') }}
    where occurred_at >= {{ first_restart_day(this) }}

),

{% if is_incremental() %}
-- the first session that a new event may extend, or the event itself
restarts as (

    select
        touched.visitor_key,
        least(min(touched.touched_from), min(known.started_at)) as restart_at
    from {{ ref('int_touched_visitors') }} as touched
    left join {{ this }} as known
        on
            touched.visitor_key = known.visitor_key
            and known.ended_at >= touched.touched_from - {{ session_gap() }}
    where touched.touched_from is not null
    group by touched.visitor_key

),

affected_events as (

    select visitor_events.*
    from visitor_events
    inner join restarts
        on
            visitor_events.visitor_key = restarts.visitor_key
            and visitor_events.occurred_at >= restarts.restart_at

),
{% else %}
affected_events as (

    select * from visitor_events
    where visitor_key is not null

),
{% endif %}

with_gaps as (

    select
        *,
        lag(occurred_at) over (
            partition by visitor_key
            order by occurred_at, event_id
        ) as previous_at
    from affected_events

),

with_session_numbers as (

    select
        *,
        sum(
            case
                when previous_at is null then 1
                when occurred_at - previous_at > {{ session_gap() }} then 1
                else 0
            end
        ) over (
            partition by visitor_key
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as session_number
    from with_gaps

),

final as (

    select
        -- ids
        {{ surrogate_key(['visitor_key', 'cast(min(occurred_at) as varchar)']) }} as session_id,
        visitor_key,
        max(customer_key) as customer_key,

        -- times
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        cast(min(occurred_at) as date) as session_date,
        {{ seconds_between('min(occurred_at)', 'max(occurred_at)') }} as duration_seconds,

        -- entry
        min_by(channel, (occurred_at, event_id)) as channel,
        min_by(device, (occurred_at, event_id)) as device,
        min_by(campaign_ref, (occurred_at, event_id)) as campaign_ref,
        min_by(page, (occurred_at, event_id)) as landing_page,

        -- measures
        count(*) as events,
        count(*) filter (where event_type = 'page_view') as page_views,
        count(*) filter (where event_type = 'product_view') as product_views,
        count(*) filter (where event_type = 'add_to_cart') as carts_added,
        count(*) filter (where event_type = 'checkout_started') as checkouts_started,
        count(*) filter (where event_type = 'order_completed') as orders_completed,
        coalesce(sum(event_value) filter (where event_type = 'order_completed'), 0) as order_value
    from with_session_numbers
    group by visitor_key, session_number

)

select * from final
order by started_at, visitor_key
