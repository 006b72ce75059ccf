{{ config(
    materialized='incremental',
    incremental_strategy='replace_journeys',
    on_schema_change='fail'
) }}

-- Where sources tell the same thing twice, it is one step: an order that an event of its customer
-- names is that event.

{%- set first_day = first_journey_day() %}
{%- set events_relation = events_to_compute() %}

with {{ touched_identifiers() }},

{% if is_incremental() %}
restarts as (

    {{ journey_restarts() | indent(4) }}

),
{% endif %}

sessions as (

    select
        visitor_key,
        started_at,
        ended_at,
        session_id,
        channel_group,
        is_bot
    from {{ ref('int_sessions') }}
    where
        ended_at >= {{ first_day }}
        and customer_key is not null
        and not is_bot_agent
        {% if is_incremental() %}
        and customer_key in (select restarts.customer_key from restarts)
        {% endif %}

),

events as (

    select
        events.visitor_key,
        events.customer_key,
        events.event_id,
        events.occurred_at,
        events.event_type,
        events.channel,
        events.campaign_ref,
        events.event_value
    from {{ events_relation }} as events
    {% if is_incremental() %}
    inner join restarts
        on
            events.customer_key = restarts.customer_key
            and events.occurred_at >= restarts.restart_at
    {% endif %}
    where
        events.occurred_at >= {{ first_day }}
        and events.customer_key is not null
        and not {{ is_bot_agent('events.user_agent') }}

),

order_events as (

    select
        customer_key,
        occurred_at,
        event_id,
        order_ref
    from {{ events_relation }}
    where
        occurred_at >= {{ first_day }} - {{ telling_time() }}
        and event_type = 'order_completed'
        and customer_key is not null
        and order_ref is not null
        and not {{ is_bot_agent('user_agent') }}

),

event_steps as (

    select
        events.customer_key,
        events.occurred_at,
        2 as kind_rank,
        {{ surrogate_key(["'event'", 'events.event_id']) }} as step_id,
        events.event_type as step,
        sessions.session_id,
        order_events.order_ref,
        events.channel,
        sessions.channel_group,
        events.campaign_ref,
        events.event_value as value,
        cast(null as double) as cost
    from events
    {{ join_sessions() | indent(4) }}
    left join order_events on events.event_id = order_events.event_id
    where not sessions.is_bot

),

order_steps as (

    select distinct
        states.customer_key,
        states.ordered_at as occurred_at,
        3 as kind_rank,
        {{ surrogate_key([
            "'order'",
            'states.order_ref',
            'states.status',
            'states.customer_key',
            'cast(states.ordered_at as varchar)',
        ]) }} as step_id,
        concat('order_', states.status) as step,
        cast(null as varchar) as session_id,
        states.order_ref,
        states.channel,
        {{ channel_group('states.channel') | indent(8) }} as channel_group,
        cast(null as varchar) as campaign_ref,
        orders.net_amount as value,
        cast(null as double) as cost
    from {{ rows_to_compute('int_order_states', 'stg_orders') }} as states
    inner join {{ ref('orders') }} as orders on states.order_ref = orders.order_ref
    where
        states.ordered_at >= {{ first_day }}
        and states.customer_key is not null
        and not exists (
            select 1
            from order_events
            where
                states.status = 'completed'
                and order_events.order_ref = states.order_ref
                and order_events.customer_key = states.customer_key
                and {{ tells_of('order_events', 'states') | indent(16) }}
        )

),

message_steps as (

    select
        customer_key,
        sent_at as occurred_at,
        1 as kind_rank,
        {{ surrogate_key(["'message'", 'message_ref']) }} as step_id,
        'message_sent' as step,
        cast(null as varchar) as session_id,
        cast(null as varchar) as order_ref,
        channel,
        {{ channel_group('channel', campaign='campaign_ref') | indent(8) }} as channel_group,
        campaign_ref,
        cast(null as double) as value,
        cost
    from {{ rows_to_compute('int_messages', 'stg_messages') }} as messages
    where
        sent_at >= {{ first_day }}
        and customer_key is not null
        and not is_control

),

feedback_steps as (

    select
        customer_key,
        posted_at as occurred_at,
        4 as kind_rank,
        {{ surrogate_key(["'feedback'", 'feedback_ref']) }} as step_id,
        'feedback_given' as step,
        cast(null as varchar) as session_id,
        cast(null as varchar) as order_ref,
        source_type as channel,
        cast(null as varchar) as channel_group,
        cast(null as varchar) as campaign_ref,
        cast(null as double) as value,
        cast(null as double) as cost
    from {{ rows_to_compute('int_feedback', 'stg_feedback') }} as feedback
    where
        posted_at >= {{ first_day }}
        and customer_key is not null

),

all_steps as (

    {% for steps in ['message_steps', 'event_steps', 'order_steps', 'feedback_steps'] %}
    select * from {{ steps }}
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

{% if is_incremental() %}
-- what each journey has come to before its restart
known_steps as (

    select
        known.customer_key,
        max(known.step_number) as step_number,
        max(known.purchase_number) as purchase_number,
        max(known.occurred_at) as occurred_at
    from {{ this }} as known
    inner join restarts
        on
            known.customer_key = restarts.customer_key
            and known.occurred_at < restarts.restart_at
    group by known.customer_key

),

new_steps as (

    select
        all_steps.*,
        coalesce(known_steps.step_number, 0) as steps_before,
        coalesce(known_steps.purchase_number, 0) as purchases_before,
        known_steps.occurred_at as last_step_at
    from all_steps
    inner join restarts
        on
            all_steps.customer_key = restarts.customer_key
            and all_steps.occurred_at >= restarts.restart_at
    left join known_steps on all_steps.customer_key = known_steps.customer_key

),
{% else %}
new_steps as (

    select
        *,
        0 as steps_before,
        0 as purchases_before,
        cast(null as timestamp) as last_step_at
    from all_steps

),
{% endif %}

numbered_steps as (

    select
        *,
        steps_before + row_number() over so_far as step_number,
        purchases_before
        + count(*) filter (where step = 'order_completed') over so_far as purchase_number,
        coalesce(lag(occurred_at) over so_far, last_step_at) as previous_at
    from new_steps
    window so_far as (
        partition by customer_key
        order by occurred_at, kind_rank, step_id
        rows between unbounded preceding and current row
    )

),

final as (

    select
        -- ids
        steps.step_id,
        steps.customer_key,
        cast(steps.step_number as bigint) as step_number,
        steps.session_id,
        steps.order_ref,

        -- what happened
        steps.occurred_at,
        steps.step,
        steps.channel,
        steps.channel_group,
        steps.campaign_ref,
        case
            when stages.stage is null then 'other'
            when stages.stage <> 'purchase' then stages.stage
            when steps.step = 'order_completed' and steps.purchase_number = 1 then 'purchase'
            when steps.purchase_number = 0 then 'purchase'
            else 'loyalty'
        end as stage,
        cast(steps.purchase_number as bigint) as purchase_number,

        -- measures
        {{ seconds_between('steps.previous_at', 'steps.occurred_at') }} as seconds_since_previous,
        steps.value,
        steps.cost
    from numbered_steps as steps
    left join {{ ref('journey_stages') }} as stages on steps.step = stages.step

)

select * from final
order by occurred_at, customer_key
