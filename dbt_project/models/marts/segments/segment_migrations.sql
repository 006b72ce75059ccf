{{ config(materialized='table', tags=['segments']) }}

{%- set units = ['week', 'month'] %}

with moves as (

    select
        moves.customer_key,
        moves.from_segment_id,
        moves.to_segment_id,
        moves.moved_at,
        customers.first_as_of,
        row_number() over (
            partition by moves.customer_key
            order by moves.assigned_at
        ) as move_number
    from {{ source('marts', 'segment_moves') }} as moves
    inner join {{ source('marts', 'customer_segments') }} as customers
        on moves.customer_key = customers.customer_key

),

first_moves as (

    select
        customer_key,
        min_by(from_segment_id, move_number) as segment_id
    from moves
    group by 1

),

-- who came into a segment, or left it, at which instant
flows as (

    select
        customers.first_as_of as flowed_at,
        coalesce(first_moves.segment_id, customers.segment_id) as segment_id,
        count(*) as customers
    from {{ source('marts', 'customer_segments') }} as customers
    left join first_moves on customers.customer_key = first_moves.customer_key
    where customers.first_as_of is not null
    group by 1, 2

    union all

    select
        moved_at as flowed_at,
        to_segment_id as segment_id,
        count(*) as customers
    from moves
    group by 1, 2

    union all

    select
        moved_at as flowed_at,
        from_segment_id as segment_id,
        -count(*) as customers
    from moves
    group by 1, 2

),

{% for unit in units %}
{{ unit }}_moves as (

    select
        cast(date_trunc('{{ unit }}', moved_at) as date) as period_start,
        customer_key,
        min_by(from_segment_id, move_number) as from_segment_id,
        max_by(to_segment_id, move_number) as to_segment_id
    from moves
    -- who was assigned for the first time within the period came from nowhere
    where first_as_of < date_trunc('{{ unit }}', moved_at)
    group by 1, 2

),

{{ unit }}_stocks as (

    select
        '{{ unit }}' as period_unit,
        periods.period_start,
        flows.segment_id,
        sum(flows.customers) as customers
    from (select distinct period_start from {{ unit }}_moves) as periods
    inner join flows on periods.period_start > flows.flowed_at
    group by 1, 2, 3

),

{% endfor %}
stocks as (

    {% for unit in units %}
    select * from {{ unit }}_stocks
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

movers as (

    {% for unit in units %}
    select
        '{{ unit }}' as period_unit,
        period_start,
        from_segment_id,
        to_segment_id,
        count(*) as customers
    from {{ unit }}_moves
    where from_segment_id <> to_segment_id
    group by 1, 2, 3, 4
    {% if not loop.last %}

    union all

    {% endif %}
    {% endfor %}

),

leavers as (

    select
        period_unit,
        period_start,
        from_segment_id,
        sum(customers) as customers
    from movers
    group by 1, 2, 3

),

cells as (

    select
        period_unit,
        period_start,
        from_segment_id,
        to_segment_id,
        customers
    from movers

    union all

    -- who stayed, or came back within the period
    select
        stocks.period_unit,
        stocks.period_start,
        stocks.segment_id as from_segment_id,
        stocks.segment_id as to_segment_id,
        stocks.customers - coalesce(leavers.customers, 0) as customers
    from stocks
    left join leavers
        on
            stocks.period_unit = leavers.period_unit
            and stocks.period_start = leavers.period_start
            and stocks.segment_id = leavers.from_segment_id

),

segment_names as (

    select
        segment_id,
        segment_name
    from {{ source('marts', 'segments') }}

),

final as (

    select
        -- ids
        cells.period_unit,
        cells.period_start,
        cells.from_segment_id,
        from_names.segment_name as from_segment_name,
        cells.to_segment_id,
        to_names.segment_name as to_segment_name,

        -- measures
        cast(cells.customers as bigint) as customers,
        cells.customers / stocks.customers as share_of_from
    from cells
    inner join stocks
        on
            cells.period_unit = stocks.period_unit
            and cells.period_start = stocks.period_start
            and cells.from_segment_id = stocks.segment_id
    left join segment_names as from_names on cells.from_segment_id = from_names.segment_id
    left join segment_names as to_names on cells.to_segment_id = to_names.segment_id
    where cells.customers > 0

)

select * from final
order by period_unit, period_start, from_segment_id, to_segment_id
