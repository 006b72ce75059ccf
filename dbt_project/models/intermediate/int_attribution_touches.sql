{{ config(materialized='table', tags=['journeys']) }}

-- A session is a touch of the first order that its customer completes after its start. The last
-- touch of an order is the session that it was completed in, or the order itself where no session
-- tells of it or that session is another order's already: so every order has one.

{%- set lookback %}interval {{ var('attribution_lookback_days') | int }} day{% endset %}

with sessions as (

    select
        session_id,
        customer_key,
        started_at,
        channel_group,
        campaign_ref
    from {{ ref('sessions') }}
    where customer_key is not null

),

conversions as (

    select
        step_id,
        customer_key,
        session_id,
        step_number,
        occurred_at as converted_at,
        channel_group,
        campaign_ref,
        coalesce(value, 0) as value,
        lag(occurred_at) over (
            partition by customer_key
            order by step_number
        ) as previous_converted_at
    from {{ ref('journey_steps') }}
    where step = 'order_completed'

),

marks as (

    select
        customer_key,
        session_id,
        cast(null as varchar) as step_id,
        cast(0 as bigint) as step_number,
        started_at as marked_at
    from sessions

    union all

    select
        customer_key,
        cast(null as varchar) as session_id,
        step_id,
        step_number,
        converted_at as marked_at
    from conversions

),

with_next_conversions as (

    select
        session_id,
        min(case when step_id is not null then step_number end) over (
            partition by customer_key
            order by marked_at, step_number
            rows between 1 following and unbounded following
        ) as next_step_number
    from marks

),

session_touches as (

    select
        conversions.step_id,
        sessions.customer_key,
        sessions.session_id,
        sessions.started_at as touched_at,
        sessions.channel_group,
        sessions.campaign_ref
    from with_next_conversions as marked
    inner join sessions on marked.session_id = sessions.session_id
    left join conversions
        on
            sessions.customer_key = conversions.customer_key
            and marked.next_step_number = conversions.step_number

),

-- the session of an order, where it is not among its touches
own_touches as (

    select
        conversions.step_id,
        conversions.customer_key,
        conversions.session_id,
        conversions.converted_at as touched_at,
        coalesce(sessions.channel_group, conversions.channel_group, 'direct') as channel_group,
        coalesce(sessions.campaign_ref, conversions.campaign_ref) as campaign_ref
    from conversions
    left join sessions on conversions.session_id = sessions.session_id
    where
        sessions.session_id is null
        or sessions.started_at <= conversions.previous_converted_at
        or sessions.started_at < conversions.converted_at - {{ lookback }}

),

converting_touches as (

    select
        touches.*,
        conversions.converted_at as ended_at,
        cast(conversions.converted_at as date) as conversion_date,
        conversions.value,
        1 as conversions
    from (
        select * from session_touches
        where step_id is not null
        union all
        select * from own_touches
    ) as touches
    inner join conversions on touches.step_id = conversions.step_id

),

open_touches as (

    select
        {{ surrogate_key(["'open'", 'customer_key']) }} as step_id,
        customer_key,
        session_id,
        touched_at,
        channel_group,
        campaign_ref,
        max(touched_at) over (partition by customer_key) as ended_at,
        cast(null as date) as conversion_date,
        cast(0 as double) as value,
        0 as conversions
    from session_touches
    where step_id is null

),

touches as (

    select * from converting_touches
    where touched_at >= ended_at - {{ lookback }}

    union all

    select * from open_touches
    where touched_at >= ended_at - {{ lookback }}

),

final as (

    select
        -- ids
        step_id as journey_id,
        row_number() over (
            partition by step_id
            order by touched_at, session_id
        ) as touch_number,
        customer_key,
        session_id,

        -- what happened
        touched_at,
        channel_group,
        campaign_ref,

        -- what came of it
        ended_at,
        conversion_date,
        conversions,
        value,
        count(*) over (partition by step_id) as touches
    from touches

)

select * from final
order by ended_at, journey_id, touch_number
