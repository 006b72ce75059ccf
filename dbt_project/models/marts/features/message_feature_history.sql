{{ config(materialized='table', tags=['training']) }}

-- Of so many messages that the lake can bear, those of some customers, the same at every run.

with every_message as (

    select
        customer_key,
        message_ref,
        campaign_ref,
        sent_at,
        channel,
        variant,
        reacted_at,
        extract(hour from sent_at) as send_hour,
        {{ day_of_week('sent_at') }} as send_weekday,
        count(*) over () as messages
    from {{ ref('int_message_outcomes') }}
    where
        sent_at < {{ as_of() }}
        and sent_at >= {{ as_of() }} - interval {{ var('response_history_days') | int }} day

),

drawn_messages as (

    select * from every_message
    where
        {{ seeded_share('customer_key') }} * messages
        < {{ var('response_most_messages') | int }}

),

features as (

    {{ message_features('drawn_messages') | indent(4) }}

),

final as (

    select
        -- ids
        messages.customer_key,
        messages.message_ref,
        messages.campaign_ref,

        -- the message
        messages.sent_at,
        messages.channel,
        messages.variant,

        -- label
        {{ days_between('messages.sent_at', 'messages.reacted_at') }} as reaction_days,

        -- instant of the features of the customer
        cast(cast(messages.sent_at as date) as timestamp) as features_as_of,

        -- features
        {%- for name in message_feature_names() %}
        features.{{ name }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from drawn_messages as messages
    inner join features
        on
            messages.customer_key = features.customer_key
            and messages.message_ref = features.message_ref

)

select * from final
order by sent_at, customer_key, message_ref
