{{ config(materialized='view') }}

-- A message as the channel carried most of them in the last year: of its most frequent variant, hour
-- and day of the week together. Computed when it is read, for the instant of the customer's features.

with clock as (

    select as_of from {{ source('ops', 'clock') }}

),

kinds_of_messages as (

    select
        outcomes.channel,
        outcomes.variant,
        extract(hour from outcomes.sent_at) as send_hour,
        {{ day_of_week('outcomes.sent_at') }} as send_weekday,
        count(*) as messages
    from {{ ref('int_message_outcomes') }} as outcomes
    cross join clock
    where
        outcomes.channel is not null
        and outcomes.sent_at <= clock.as_of
        and outcomes.sent_at > clock.as_of - interval 365 day
    group by 1, 2, 3, 4

),

ranked_kinds as (

    select
        *,
        row_number() over (
            partition by channel
            order by messages desc, variant asc, send_hour asc, send_weekday asc
        ) as place
    from kinds_of_messages

),

usual_messages as (

    select
        channel,
        variant,
        send_hour,
        send_weekday
    from ranked_kinds
    where place = 1

),

allowed_customers as (

    select
        features.customer_key,
        features.as_of,
        features.batch_id,
        {{ discount_days('features') }} as discount_days_365d
    from {{ ref('customer_features') }} as features
    inner join {{ ref('customers') }} as customers
        on features.customer_key = customers.customer_key
    where coalesce(customers.consents_marketing, true)

),

next_messages as (

    select
        customers.customer_key,
        customers.as_of,
        customers.batch_id,
        customers.discount_days_365d,
        usual.channel as message_ref,
        customers.as_of as sent_at,
        usual.channel,
        usual.variant,
        usual.send_hour,
        usual.send_weekday
    from allowed_customers as customers
    cross join usual_messages as usual

),

features as (

    {{ message_features('next_messages') | indent(4) }}

),

final as (

    select
        -- ids
        messages.customer_key,
        messages.channel,
        messages.variant,
        messages.as_of,

        -- features
        {%- for name in message_feature_names() %}
        features.{{ name }},
        {%- endfor %}
        messages.discount_days_365d,

        -- lineage
        messages.batch_id
    from next_messages as messages
    inner join features
        on
            messages.customer_key = features.customer_key
            and messages.message_ref = features.message_ref

)

select * from final
