{#
    What is known of each customer at an instant: the one definition of every feature.

    `spine` names a relation with `customer_key` and `as_of`; the result has one row per row of it,
    also for those of whom nothing is visible yet. A day is visible once its last moment lies before
    the instant, so nothing later can leak in; a day that the instant cuts in two counts as not yet
    seen. What happens at the very instant is the future: it counts for the label.
    Windows are measured back from the instant. What somebody wrote counts from its own moment on.
#}
{% macro customer_features(spine) -%}
{%- set days = [7, 30, 90, 365] -%}

with visible_days as (

    select
        spine.customer_key as spine_key,
        spine.as_of,
        {{ days_between('days.last_at', 'spine.as_of') }} as age_days,
        days.*
    from {{ spine }} as spine
    left join {{ ref('int_customer_days') }} as days
        on
            spine.customer_key = days.customer_key
            and days.last_at < spine.as_of

),

windows as (

    select
        spine_key as customer_key,
        as_of,

        -- lifetime, from the running totals of the newest visible day
        coalesce(max(order_days_to_date), 0) as order_days_total,
        coalesce(max(orders_to_date), 0) as orders_total,
        coalesce(max_by(revenue_to_date, activity_date), 0) as revenue_total,
        coalesce(max(units_to_date), 0) as units_total,
        coalesce(max(lines_to_date), 0) as lines_total,
        coalesce(max(returns_to_date), 0) as returns_total,
        coalesce(max_by(return_amount_to_date, activity_date), 0) as return_amount_total,
        coalesce(max(discount_amount_to_date), 0) as discount_total,
        coalesce(max(gross_amount_to_date), 0) as gross_total,
        coalesce(max(products_new_to_date), 0) as products_total,
        coalesce(max(active_days_to_date), 0) as active_days_total,
        max(last_order_at_to_date) as last_order_at,
        min(first_at_to_date) as first_seen_at,
        min(first_order_date_to_date) as first_order_date,
        max(last_at) as last_seen_at,
        max(case when events > 0 then last_at end) as last_event_at,
        max(case when carts_added > 0 then last_at end) as last_cart_at,
        max(case when messages_opened > 0 then last_at end) as last_opened_at,

        -- gaps between order days
        avg(days_since_previous_order) as order_gap_mean,
        stddev_samp(days_since_previous_order) as order_gap_deviation,
        max(days_since_previous_order) as order_gap_longest,
        median(days_since_previous_order) as order_gap_median,
        max_by(days_since_previous_order, activity_date) filter (where orders > 0)
            as order_gap_last,
        max_by(revenue, activity_date) filter (where orders > 0) as last_order_revenue,

        -- windows
        {%- for length in days %}
        count(*) filter (where orders > 0 and age_days < {{ length }}) as order_days_{{ length }}d,
        coalesce(
            sum(revenue) filter (where age_days < {{ length }}), 0
        ) as revenue_{{ length }}d,
        {%- endfor %}
        {%- for length in [7, 30, 90] %}
        count(*) filter (
            where (events > 0 or orders > 0) and age_days < {{ length }}
        ) as active_days_{{ length }}d,
        coalesce(sum(events) filter (where age_days < {{ length }}), 0) as events_{{ length }}d,
        {%- endfor %}
        {%- for name in ['page_views', 'product_views', 'searches', 'carts_added', 'carts_removed',
                         'checkouts_started', 'logins'] %}
        coalesce(sum({{ name }}) filter (where age_days < 30), 0) as {{ name }}_30d,
        {%- endfor %}
        {%- for name in ['products_new', 'lines', 'returns', 'cancellations', 'support_contacts',
                         'messages', 'messages_opened', 'messages_clicked', 'feedback_given',
                         'discount_amount', 'gross_amount', 'app_events'] %}
        coalesce(sum({{ name }}) filter (where age_days < 90), 0) as {{ name }}_90d,
        {%- endfor %}
        coalesce(sum(revenue) filter (where age_days < 28), 0) as revenue_28d,
        coalesce(sum(revenue) filter (where age_days < 56), 0) as revenue_56d,
        count(*) filter (where orders > 0 and age_days < 28) as order_days_28d,
        count(*) filter (where orders > 0 and age_days < 56) as order_days_56d,
        count(*) filter (where (events > 0 or orders > 0) and age_days < 28) as active_days_28d,
        count(*) filter (where (events > 0 or orders > 0) and age_days < 56) as active_days_56d,
        count(*) filter (where carts_added > 0 and age_days < 90) as cart_days_90d,
        count(*) filter (
            where carts_added > 0 and orders = 0 and age_days < 90
        ) as abandoned_cart_days_90d,
        count(*) filter (
            where discount_amount > 0 and orders > 0 and age_days < 365
        ) as discount_days_365d,
        count(*) filter (where events > 0 and age_days < 90) as event_days_90d,
        min(age_days) filter (where events > 0 and age_days < 90) as newest_event_age,
        max(age_days) filter (where events > 0 and age_days < 90) as oldest_event_age,
        coalesce(sum(ratings), 0) as ratings_total,
        sum(rating_sum) as rating_sum_total,
        coalesce(sum(store_orders), 0) as store_orders_total,
        coalesce(sum(morning_orders), 0) as morning_orders_total,
        coalesce(sum(evening_orders), 0) as evening_orders_total,
        coalesce(
            sum(orders) filter (where {{ is_weekend('activity_date') }}), 0
        ) as weekend_orders_total
    from visible_days
    group by 1, 2

),

visible_feedback as (

    select
        spine.customer_key as spine_key,
        spine.as_of,
        {{ days_between('feedback.posted_at', 'spine.as_of') }} as age_days,
        feedback.posted_at,
        feedback.feedback_ref,
        feedback.sentiment_score,
        feedback.threatens_to_leave,
        feedback.topic_id,
        feedback.sentiment = 'positive' as is_positive,
        feedback.sentiment = 'negative'
        or (feedback.intent = 'complaint' and feedback.sentiment = 'neutral') as is_complaint,
        feedback.source_type in ('ticket', 'chat')
        and coalesce(feedback.intent <> 'praise', feedback.sentiment = 'negative') as is_issue
    from {{ spine }} as spine
    inner join {{ ref('feedback_signals') }} as feedback
        on
            spine.customer_key = feedback.customer_key
            and feedback.posted_at < spine.as_of
    where feedback.sentiment is not null

),

moods as (

    select
        spine_key,
        as_of as mood_as_of,
        max_by(sentiment_score, (posted_at, feedback_ref)) as mood_last,
        avg(sentiment_score) as mood_mean,
        avg(sentiment_score) filter (where age_days < 90)
        - avg(sentiment_score) filter (where age_days >= 90) as mood_trend_90d,
        count(*) filter (where is_complaint and age_days < 30) as complaints_30d,
        count(*) filter (where threatens_to_leave and age_days < 90) as leaving_threats_90d,
        coalesce(
            max(posted_at) filter (where is_issue and age_days < 30)
            > coalesce(max(posted_at) filter (where is_positive), timestamp '0001-01-01'),
            false
        ) as is_issue_open,
        count(distinct topic_id) as feedback_topics_total
    from visible_feedback
    group by 1, 2

),

final as (

    select
        -- ids
        customer_key,
        as_of,

        -- recency, in days
        {{ days_between('last_order_at', 'as_of') }} as days_since_last_order,
        {{ days_between('last_event_at', 'as_of') }} as days_since_last_event,
        {{ days_between('cast(first_order_date as timestamp)', 'as_of') }}
            as days_since_first_order,
        {{ days_between('first_seen_at', 'as_of') }} as days_since_first_seen,

        -- frequency
        {%- for length in days %}
        cast(order_days_{{ length }}d as double) as order_days_{{ length }}d,
        {%- endfor %}
        cast(order_days_total as double) as order_days_total,
        orders_total,
        order_days_total / nullif(
            {{ days_between('cast(first_order_date as timestamp)', 'as_of') }} / 30.0, 0
        ) as order_days_per_month,

        -- monetary value, in the currency of the orders
        {%- for length in days %}
        revenue_{{ length }}d,
        {%- endfor %}
        revenue_total,
        revenue_90d / nullif(revenue_total, 0) as revenue_90d_share,

        -- gaps between order days
        order_gap_mean,
        order_gap_deviation,
        cast(order_gap_longest as double) as order_gap_longest,
        {{ days_between('last_order_at', 'as_of') }} / nullif(order_gap_mean, 0)
            as overdue_ratio,
        order_gap_median,
        cast(order_gap_last as double) as order_gap_last,
        order_gap_deviation / nullif(order_gap_mean, 0) as order_gap_variation,
        ({{ days_between('last_order_at', 'as_of') }} - order_gap_mean)
        / case when order_gap_deviation < 1 then 1 else order_gap_deviation end
            as overdue_deviations,

        -- basket
        revenue_total / nullif(orders_total, 0) as average_order_value,
        units_total / nullif(orders_total, 0) as units_per_order,
        lines_total / nullif(orders_total, 0) as lines_per_order,

        -- breadth
        products_total,
        products_new_90d,
        products_total / nullif(lines_total, 0) as product_variety,

        -- returns and discounts
        returns_90d,
        return_amount_total / nullif(revenue_total, 0) as return_rate,
        cancellations_90d,
        discount_total / nullif(gross_total, 0) as discount_share,
        discount_amount_90d / nullif(gross_amount_90d, 0) as discount_share_90d,

        -- where and when
        store_orders_total / nullif(orders_total, 0) as store_order_share,
        app_events_90d / nullif(events_90d, 0) as app_event_share_90d,
        morning_orders_total / nullif(orders_total, 0) as morning_order_share,
        evening_orders_total / nullif(orders_total, 0) as evening_order_share,
        weekend_orders_total / nullif(orders_total, 0) as weekend_order_share,

        -- engagement
        {%- for length in [7, 30, 90] %}
        cast(active_days_{{ length }}d as double) as active_days_{{ length }}d,
        events_{{ length }}d,
        {%- endfor %}
        {%- for name in ['page_views', 'product_views', 'searches', 'carts_added', 'carts_removed',
                         'checkouts_started', 'logins'] %}
        {{ name }}_30d,
        {%- endfor %}
        support_contacts_90d,
        feedback_given_90d,
        rating_sum_total / nullif(ratings_total, 0) as rating_mean,

        -- what they say
        mood_last,
        mood_mean,
        mood_trend_90d,
        cast(coalesce(complaints_30d, 0) as double) as complaints_30d,
        cast(coalesce(leaving_threats_90d, 0) as double) as leaving_threats_90d,
        cast(coalesce(is_issue_open, false) as double) as issue_open_30d,
        cast(coalesce(feedback_topics_total, 0) as double) as feedback_topics_total,

        -- message response
        messages_90d,
        messages_opened_90d / nullif(messages_90d, 0) as message_open_rate_90d,
        messages_clicked_90d / nullif(messages_90d, 0) as message_click_rate_90d,
        {{ days_between('last_opened_at', 'as_of') }} as days_since_last_opened,

        -- journey
        {{ days_between('last_cart_at', 'as_of') }} as days_since_last_cart,
        abandoned_cart_days_90d / nullif(cart_days_90d, 0) as abandoned_cart_share_90d,
        (oldest_event_age - newest_event_age) / nullif(event_days_90d - 1, 0) as visit_gap_mean_90d,

        -- trend: the last 28 days against the 28 before, from -1 (stopped) to 1 (started)
        {%- for name in ['revenue', 'order_days', 'active_days'] %}
        (2 * {{ name }}_28d - {{ name }}_56d) / nullif({{ name }}_56d, 0) as {{ name }}_trend_28d,
        {%- endfor %}
        discount_days_365d / nullif(order_days_365d, 0) as discounted_order_share_365d,
        last_order_revenue * order_days_total / nullif(revenue_total, 0) as last_order_value_ratio
    from windows
    left join moods
        on
            windows.customer_key = moods.spine_key
            and windows.as_of = moods.mood_as_of

)

select * from final
{%- endmacro %}
