{#
    What past messages say of a message that goes out: the one definition, for messages that were
    sent (training) and for those that could be sent now (scoring).

    `spine` names a relation with one row per `customer_key` and `message_ref`, and `sent_at`,
    `send_hour`, `send_weekday`, `channel`, `variant`. Everything looks at what lies strictly before `sent_at`, and at most 365
    days back; the rates of all customers look at whole days before it, from the first on.

    A rate is shrunk towards a wider one, as if that had been seen so many messages long: everyone's
    towards one reaction in 20 messages, a channel's and a variant's with 20, a customer's own with
    5. So a customer without a past gets the rate of the others.
#}
{% macro message_features(spine) -%}
{%- set everyone, own = 20, 5 -%}
{%- set channels = ['email', 'push', 'sms', 'mail'] -%}

with message_spine as (

    select
        customer_key,
        message_ref,
        sent_at,
        cast(sent_at as date) as sent_on,
        sent_at - interval 365 day as year_before,
        send_hour,
        send_weekday,
        coalesce(channel, '') as channel,
        coalesce(variant, '') as variant
    from {{ spine }}

),

outcomes as (

    select
        customer_key,
        sent_at,
        opened_at,
        reacted_at,
        coalesce(channel, '') as channel,
        coalesce(variant, '') as variant
    from {{ ref('int_message_outcomes') }}

),

own_messages as (

    select
        spine.customer_key,
        spine.message_ref,
        count(past.sent_at) as messages,
        count(*) filter (where past.sent_at >= spine.sent_at - interval 7 day) as messages_7d,
        count(*) filter (where past.sent_at >= spine.sent_at - interval 30 day) as messages_30d,
        count(*) filter (where past.opened_at < spine.sent_at) as opened,
        count(*) filter (where past.reacted_at < spine.sent_at) as reacted,
        count(*) filter (where past.channel = spine.channel) as channel_messages,
        count(*) filter (
            where past.channel = spine.channel and past.reacted_at < spine.sent_at
        ) as channel_reacted,
        count(*) filter (where past.variant = spine.variant) as variant_messages,
        count(*) filter (
            where past.variant = spine.variant and past.reacted_at < spine.sent_at
        ) as variant_reacted,
        max(past.sent_at) as last_sent_at
    from message_spine as spine
    left join outcomes as past
        on
            spine.customer_key = past.customer_key
            and spine.sent_at > past.sent_at
            and spine.year_before <= past.sent_at
    group by 1, 2

),

own_answers as (

    select
        spine.customer_key,
        spine.message_ref,
        {%- for name, type in {
            'opens': 'message_opened', 'clicks': 'message_clicked', 'redemptions': 'coupon_redeemed'
        }.items() %}
        count(*) filter (where past.event_type = '{{ type }}') as {{ name }},
        {%- endfor %}
        count(*) filter (where past.is_reaction) as reactions,
        count(*) filter (
            where past.is_reaction and past.occurred_at >= spine.sent_at - interval 90 day
        ) as reactions_90d,
        max(past.occurred_at) filter (where not past.is_reaction) as last_opened_at,
        max(past.occurred_at) filter (where past.is_reaction) as last_reacted_at
    from message_spine as spine
    left join {{ ref('int_message_answers') }} as past
        on
            spine.customer_key = past.customer_key
            and spine.sent_at > past.occurred_at
            and spine.year_before <= past.occurred_at
    group by 1, 2

),

-- messages and what came of them by day, with the days of the spine on which nothing happened
changes as (

    select
        channel,
        variant,
        cast(sent_at as date) as change_date,
        1 as sent,
        0 as opened,
        0 as reacted
    from outcomes

    union all

    select
        channel,
        variant,
        cast(opened_at as date) as change_date,
        0 as sent,
        1 as opened,
        0 as reacted
    from outcomes
    where opened_at is not null

    union all

    select
        channel,
        variant,
        cast(reacted_at as date) as change_date,
        0 as sent,
        0 as opened,
        1 as reacted
    from outcomes
    where reacted_at is not null

    union all

    select distinct
        channel,
        variant,
        sent_on as change_date,
        0 as sent,
        0 as opened,
        0 as reacted
    from message_spine

),

daily_changes as (

    select
        channel,
        variant,
        change_date,
        sum(sent) as sent,
        sum(opened) as opened,
        sum(reacted) as reacted
    from changes
    group by 1, 2, 3

),

totals_before as (

    select
        channel,
        variant,
        change_date,
        {%- for name in ['sent', 'opened', 'reacted'] %}
        coalesce(sum({{ name }}) over everyone, 0) as {{ name }},
        coalesce(sum({{ name }}) over of_channel, 0) as channel_{{ name }},
        coalesce(sum({{ name }}) over of_variant, 0) as variant_{{ name }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from daily_changes
    window
        everyone as (
            order by change_date
            range between unbounded preceding and interval 1 day preceding
        ),
        of_channel as (
            partition by channel
            order by change_date
            range between unbounded preceding and interval 1 day preceding
        ),
        of_variant as (
            partition by channel, variant
            order by change_date
            range between unbounded preceding and interval 1 day preceding
        )

),

everyones_rates as (

    select
        channel,
        variant,
        change_date,
        channel_sent,
        channel_reacted,
        variant_sent,
        variant_reacted,
        (opened + 1.0) / (sent + {{ everyone }}) as open_rate,
        (reacted + 1.0) / (sent + {{ everyone }}) as reaction_rate
    from totals_before

),

channel_rates as (

    select
        *,
        (channel_reacted + {{ everyone }} * reaction_rate) / (channel_sent + {{ everyone }})
            as channel_rate
    from everyones_rates

),

own_rates as (

    select
        spine.customer_key,
        spine.message_ref,
        spine.sent_at,
        spine.send_hour,
        spine.send_weekday,
        spine.channel,
        messages.messages,
        messages.messages_7d,
        messages.messages_30d,
        messages.reacted,
        messages.channel_messages,
        messages.channel_reacted,
        messages.variant_messages,
        messages.variant_reacted,
        messages.last_sent_at,
        rates.channel_rate,
        rates.reaction_rate,
        (rates.variant_reacted + {{ everyone }} * rates.channel_rate)
        / (rates.variant_sent + {{ everyone }}) as variant_rate,
        (messages.opened + {{ own }} * rates.open_rate) / (messages.messages + {{ own }})
            as own_open_rate,
        (messages.reacted + {{ own }} * rates.reaction_rate) / (messages.messages + {{ own }})
            as own_rate
    from message_spine as spine
    inner join own_messages as messages
        on
            spine.customer_key = messages.customer_key
            and spine.message_ref = messages.message_ref
    inner join channel_rates as rates
        on
            spine.channel = rates.channel
            and spine.variant = rates.variant
            and spine.sent_on = rates.change_date

),

final as (

    select
        -- ids
        rates.customer_key,
        rates.message_ref,

        -- the message
        {%- for name in channels %}
        cast(rates.channel = '{{ name }}' as double) as sent_by_{{ name }},
        {%- endfor %}
        cast(rates.send_hour as double) as send_hour,
        cast(rates.send_weekday as double) as send_weekday,
        rates.channel_rate as reaction_rate_of_channel,
        rates.variant_rate as reaction_rate_of_variant,

        -- how much the customer is written to
        cast(rates.messages as double) as past_messages,
        cast(rates.messages_7d as double) as past_messages_7d,
        cast(rates.messages_30d as double) as past_messages_30d,
        {{ days_between('rates.last_sent_at', 'rates.sent_at') }} as days_since_last_message,

        -- how the customer answers
        cast(answers.opens as double) as past_opens,
        cast(answers.clicks as double) as past_clicks,
        cast(answers.redemptions as double) as past_redemptions,
        cast(rates.reacted as double) as past_reactions,
        cast(answers.reactions_90d as double) as past_reactions_90d,
        rates.own_open_rate as past_open_rate,
        rates.own_rate as past_reaction_rate,
        (answers.reactions + {{ own }} * rates.reaction_rate) / (rates.messages + {{ own }})
            as past_reactions_per_message,
        {{ days_between('answers.last_opened_at', 'rates.sent_at') }} as days_since_message_opened,
        {{ days_between('answers.last_reacted_at', 'rates.sent_at') }} as days_since_reaction,

        -- how the customer answers in this channel, and to this variant or type of campaign
        cast(rates.channel_messages as double) as past_messages_by_channel,
        (rates.channel_reacted + {{ own }} * rates.own_rate)
        / (rates.channel_messages + {{ own }}) as past_reaction_rate_by_channel,
        cast(rates.variant_messages as double) as past_messages_by_variant,
        (rates.variant_reacted + {{ own }} * rates.own_rate)
        / (rates.variant_messages + {{ own }}) as past_reaction_rate_by_variant
    from own_rates as rates
    inner join own_answers as answers
        on
            rates.customer_key = answers.customer_key
            and rates.message_ref = answers.message_ref

)

select * from final
{%- endmacro %}

{# The features of `message_features`, in its order. #}
{% macro message_feature_names() -%}
    {{ return([
        'sent_by_email', 'sent_by_push', 'sent_by_sms', 'sent_by_mail', 'send_hour',
        'send_weekday', 'reaction_rate_of_channel', 'reaction_rate_of_variant', 'past_messages',
        'past_messages_7d', 'past_messages_30d', 'days_since_last_message', 'past_opens',
        'past_clicks', 'past_redemptions', 'past_reactions', 'past_reactions_90d',
        'past_open_rate', 'past_reaction_rate', 'past_reactions_per_message',
        'days_since_message_opened', 'days_since_reaction', 'past_messages_by_channel', 'past_reaction_rate_by_channel',
        'past_messages_by_variant', 'past_reaction_rate_by_variant',
    ]) }}
{%- endmacro %}

{# Days with a discounted order in the last year, from columns of `customer_features`. #}
{% macro discount_days(features) -%}
    coalesce({{ features }}.discounted_order_share_365d * {{ features }}.order_days_365d, 0)
{%- endmacro %}
