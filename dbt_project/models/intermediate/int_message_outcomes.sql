{{ config(materialized='view') }}

-- An answer belongs to one message, the newest by then: of the campaign that it names, or of any
-- where it names none.

with messages as (

    select
        customer_key,
        message_ref,
        campaign_ref,
        sent_at,
        channel,
        variant
    from {{ ref('int_messages') }}
    where
        not is_control
        and customer_key is not null

),

answered_messages as (

    select
        answers.customer_key,
        answers.event_id,
        answers.occurred_at,
        answers.is_reaction,
        max_by(messages.message_ref, (messages.sent_at, messages.message_ref)) as message_ref
    from {{ ref('int_message_answers') }} as answers
    inner join messages
        on
            answers.customer_key = messages.customer_key
            and answers.occurred_at >= messages.sent_at
            and coalesce(answers.campaign_ref, messages.campaign_ref, '')
            = coalesce(messages.campaign_ref, '')
    group by 1, 2, 3, 4

),

first_answers as (

    select
        customer_key,
        message_ref,
        min(occurred_at) filter (where not is_reaction) as opened_at,
        min(occurred_at) filter (where is_reaction) as reacted_at
    from answered_messages
    group by 1, 2

),

outcomes as (

    select
        -- ids
        messages.customer_key,
        messages.message_ref,
        messages.campaign_ref,

        -- what was sent
        messages.sent_at,
        messages.channel,
        messages.variant,

        -- what came of it
        answers.opened_at,
        answers.reacted_at
    from messages
    left join first_answers as answers
        on
            messages.customer_key = answers.customer_key
            and messages.message_ref = answers.message_ref

)

select * from outcomes
