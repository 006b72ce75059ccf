{{ config(materialized='view') }}

-- A message as the channel carried most of them in the last year: of its most frequent variant,
-- hour and day of the week together. Computed when it is read, for the instant of the customer's
-- features.

with clock as (

    select as_of from {{ source('ops', 'clock') }}

),

kinds_of_messages as (

    select
        messages.channel,
        messages.variant,
        extract(hour from messages.sent_at) as send_hour,
        {{ day_of_week('messages.sent_at') }} as send_weekday,
        count(*) as messages
    from {{ ref('stg_messages') }} as messages
    cross join clock
    where
        not messages.is_control
        and messages.channel is not null
        and messages.sent_at <= clock.as_of
        and messages.sent_at > clock.as_of - interval 365 day
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

-- a reader that has the rest already names the newest features that it has
newer_customers as (

    select * from {{ ref('int_message_recipients') }}
    where
        {{ reader_setting('shoal_newer_than') }} is null
        or as_of > cast({{ reader_setting('shoal_newer_than') }} as timestamp)
        or batch_id > cast({{ reader_setting('shoal_after_batch') }} as bigint)

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
    from newer_customers as customers
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
