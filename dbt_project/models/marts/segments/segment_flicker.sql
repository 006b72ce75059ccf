{{ config(materialized='table', tags=['segments']) }}

{%- set units = ['week', 'month'] %}
{%- set days = var('segment_flicker_days') %}

with moves as (

    select
        customer_key,
        from_segment_id,
        to_segment_id,
        moved_at,
        row_number() over (
            partition by customer_key
            order by assigned_at
        ) as move_number,
        cast(moved_at + interval {{ days }} day as timestamp) <= {{ as_of() }} as is_complete
    from {{ source('marts', 'segment_moves') }}

),

returns as (

    select
        moves.customer_key,
        moves.moved_at,
        moves.move_number,
        moves.is_complete,
        count(backs.customer_key) > 0 as came_back
    from moves
    left join moves as backs
        on
            moves.customer_key = backs.customer_key
            and moves.from_segment_id = backs.to_segment_id
            and moves.move_number < backs.move_number
            and moves.moved_at >= backs.moved_at - interval {{ days }} day
    group by 1, 2, 3, 4

),

{% for unit in units %}
{{ unit }}s as (

    select
        '{{ unit }}' as period_unit,
        cast(date_trunc('{{ unit }}', moved_at) as date) as period_start,
        customer_key,
        bool_or(came_back) as came_back,
        bool_and(is_complete) as is_complete
    from returns
    group by 1, 2, 3

),

{% endfor %}
periods as (

    {% for unit in units %}
    select * from {{ unit }}s
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

final as (

    select
        -- ids
        period_unit,
        period_start,

        -- measures
        count(*) as movers,
        count(*) filter (where came_back) as came_back,
        count(*) filter (where came_back) / count(*) as came_back_share,
        bool_and(is_complete) as is_complete
    from periods
    group by 1, 2

)

select * from final
order by period_unit, period_start
