{{ config(materialized='view') }}

with days as (

    select
        cast(posted_hour as date) as posted_date,
        term_group,
        name,
        sum(texts) as texts,
        sum(complaints) as complaints,
        sum(sentiment_sum) / nullif(sum(texts_with_mood), 0) as sentiment_mean
    from {{ ref('listening_hours') }}
    where name <> ''
    group by 1, 2, 3

),

shares as (

    select
        -- grain
        posted_date,
        term_group,
        name,

        -- measures
        cast(texts as bigint) as texts,
        cast(complaints as bigint) as complaints,
        sentiment_mean,
        texts / sum(texts) over (partition by posted_date, term_group) as share
    from days

)

select * from shares
