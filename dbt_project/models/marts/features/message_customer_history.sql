{{ config(materialized='table', tags=['training']) }}

-- The instant is the midnight before a message: no day is cut, and nothing of the day of sending is
-- visible, not even from a source that knows dates alone.

with spine as (

    select distinct
        customer_key,
        features_as_of as as_of
    from {{ ref('message_feature_history') }}

),

features as (

    {{ customer_features('spine') | indent(4) }}

),

final as (

    select
        features.*,
        {{ discount_days('features') }} as discount_days_365d
    from features

)

select * from final
order by as_of, customer_key
