{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    on_schema_change='fail',
    meta={
        'visitor_column': 'visitor_key',
        'replace_when':
            'target.started_at >= touched.sessions_from'
            ~ ' and target.ended_at >= touched.touched_from - ' ~ session_gap(),
    }
) }}

-- A new session starts after a pause of the same visitor; where the project says so, also at
-- midnight and where an event names another campaign. What a bot does under a visitor's key is a
-- stream of its own, so that it neither joins nor cuts the sessions of people.
--
-- Every cut depends on what came before it and never falls between events of the same instant. So
-- what is computed anew starts with the first session that a new event may extend, whatever
-- cut that session off: the one before it ended, and keeps its end.

{%- set events_relation = events_to_compute() %}

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
        referrer,
        user_agent,
        event_value,
        {{ is_bot_agent('user_agent') }} as is_bot_agent
    from {{ events_relation }}
    where occurred_at >= {{ first_restart_day() }}

),

{% if is_incremental() %}
streams as (

    select true as is_bot_agent
    union all
    select false as is_bot_agent

),

touched_streams as (

    select
        touched.visitor_key,
        streams.is_bot_agent,
        min(touched.touched_from) as touched_from
    from {{ ref('int_touched_visitors') }} as touched
    cross join streams
    where touched.touched_from is not null
    group by touched.visitor_key, streams.is_bot_agent

),

-- the first session that a new event may extend, or the event itself
restarts as (

    select
        touched.visitor_key,
        touched.is_bot_agent,
        least(min(touched.touched_from), min(known.started_at)) as restart_at
    from touched_streams as touched
    left join {{ this }} as known
        on
            touched.visitor_key = known.visitor_key
            and touched.is_bot_agent = known.is_bot_agent
            and known.ended_at >= touched.touched_from - {{ session_gap() }}
            and known.session_date >= {{ first_restart_day() }}
    group by touched.visitor_key, touched.is_bot_agent

),

affected_events as (

    select visitor_events.*
    from visitor_events
    inner join restarts
        on
            visitor_events.visitor_key = restarts.visitor_key
            and visitor_events.is_bot_agent = restarts.is_bot_agent
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
            partition by visitor_key, is_bot_agent
            order by occurred_at, event_id
        ) as previous_at
    from affected_events

),

with_visit_starts as (

    select
        *,
        case
            when previous_at is null then 1
            when occurred_at - previous_at > {{ session_gap() }} then 1
            {%- if var('session_ends_at_midnight') %}
            when cast(occurred_at as date) > cast(previous_at as date) then 1
            {%- endif %}
            else 0
        end as starts_visit
    from with_gaps

),

{% if var('session_ends_at_new_campaign') %}
with_visit_numbers as (

    select
        *,
        sum(starts_visit) over (
            partition by visitor_key, is_bot_agent
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ) as visit_number
    from with_visit_starts

),

with_previous_campaigns as (

    select
        *,
        lag(campaign_ref) over (
            partition by visitor_key, is_bot_agent, visit_number, campaign_ref is not null
            order by occurred_at, event_id
        ) as previous_campaign_ref
    from with_visit_numbers

),

with_session_starts as (

    select
        *,
        case
            when starts_visit = 1 then 1
            when occurred_at = previous_at or campaign_ref is null then 0
            when campaign_ref is distinct from previous_campaign_ref then 1
            else 0
        end as starts_session
    from with_previous_campaigns

),
{% else %}
with_session_starts as (

    select
        *,
        starts_visit as starts_session
    from with_visit_starts

),
{% endif %}

with_session_numbers as (

    select
        *,
        case
            when starts_session = 0 then {{ seconds_between('previous_at', 'occurred_at') }}
        end as gap_seconds,
        sum(starts_session) over (
            partition by visitor_key, is_bot_agent
            order by occurred_at
        ) as session_number
    from with_session_starts

),

grouped_sessions as (

    select
        -- ids
        visitor_key,
        is_bot_agent,
        max(customer_key) as customer_key,

        -- times
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        {{ seconds_between('min(occurred_at)', 'max(occurred_at)') }} as duration_seconds,
        median(gap_seconds) as median_gap_seconds,

        -- entry: of the first event that names one
        min_by(channel, (occurred_at, event_id)) as channel,
        min_by(device, (occurred_at, event_id)) as device,
        min_by(campaign_ref, (occurred_at, event_id)) as campaign_ref,
        min_by(page, (occurred_at, event_id)) as landing_page,
        min_by(user_agent, (occurred_at, event_id)) as user_agent,

        -- entry: of the first event, whatever later ones name
        max(case when starts_session = 1 then channel end) as entry_channel,
        max(case when starts_session = 1 then referrer end) as referrer,
        max(case when starts_session = 1 then campaign_ref end) as entry_campaign_ref,

        -- measures
        count(*) as events,
        count(*) filter (where event_type = 'page_view') as page_views,
        count(*) filter (where event_type = 'product_view') as product_views,
        count(*) filter (where event_type = 'add_to_cart') as carts_added,
        count(*) filter (where event_type = 'checkout_started') as checkouts_started,
        count(*) filter (where event_type = 'order_completed') as orders_completed,
        coalesce(sum(event_value) filter (where event_type = 'order_completed'), 0) as order_value
    from with_session_numbers
    group by visitor_key, is_bot_agent, session_number

),

-- only a visitor without a name is a bot by its pace: a customer in a hurry is none
with_bot_reasons as (

    select
        *,
        case
            when is_bot_agent then {{ bot_agent_reason('user_agent') | indent(12) }}
            when customer_key is not null or events < {{ var('bot_min_events') }} then null
            when events * 60 > {{ var('bot_events_per_minute') }} * duration_seconds then 'rate'
            when median_gap_seconds < {{ var('bot_median_gap_seconds') }} then 'no dwell'
        end as bot_reason
    from grouped_sessions

),

final as (

    select
        -- ids
        {{ surrogate_key([
            'visitor_key',
            'cast(started_at as varchar)',
            "case when is_bot_agent then 'bot' end",
        ]) }} as session_id,
        visitor_key,
        customer_key,

        -- times
        started_at,
        ended_at,
        cast(started_at as date) as session_date,
        duration_seconds,

        -- entry
        channel,
        {{ channel_group('entry_channel', 'referrer', 'entry_campaign_ref') | indent(8) }}
            as channel_group,
        referrer,
        device,
        campaign_ref,
        landing_page,

        -- measures
        events,
        page_views,
        product_views,
        carts_added,
        checkouts_started,
        orders_completed,
        order_value,

        -- people or programs
        bot_reason is not null as is_bot,
        bot_reason,
        is_bot_agent
    from with_bot_reasons

)

select * from final
order by started_at, visitor_key
