{# From which instant on the journey of each touched customer is computed anew. #}
{% macro journey_restarts() -%}
select
    visitor_key as customer_key,
    journey_from as restart_at
from {{ ref('int_touched_visitors') }}
where journey_from is not null
{%- endmacro %}

{# Whether an event and the state of an order with the same reference are one and the same. #}
{% macro tells_of(events, states) -%}
    {{ events }}.occurred_at between {{ states }}.ordered_at - {{ telling_time() }}
    and {{ states }}.ordered_at + {{ telling_time() }}
{%- endmacro %}

{# How far the clocks of two sources may differ, so that nobody has to look further. #}
{% macro telling_time() -%}
    interval 2 day
{%- endmacro %}

{# Earliest day of a journey that is computed anew. #}
{% macro first_journey_day() -%}
    {{ return(first_day_of(
        'first_journey_day',
        "select cast(min(restart_at) as date) from (" ~ journey_restarts() ~ ") as restarts"
    )) }}
{%- endmacro %}

{# Incremental strategy: replace the steps of touched customers from their restart on. #}
{% macro get_incremental_replace_journeys_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }} as target
    using (
        {{ journey_restarts() | indent(8) }}
    ) as restarts
    where
        target.customer_key = restarts.customer_key
        and target.occurred_at >= restarts.restart_at
        and target.occurred_at >= {{ first_journey_day() }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arguments['temp_relation'] }};
{%- endmacro %}
