{#
    The events that an incremental model reads: those of touched visitors from where they are
    touched on. A rebuild, and a run over the whole history, read all.

    What only an increment reads is referred to where dbt parses and where it is read, so that a
    unit test of the rebuild needs no rows of it.
#}
{% macro events_to_compute() -%}
    {%- set every_event = ref('int_events') -%}
    {%- if not execute or is_incremental() -%}
        {%- set touched_events = ref('int_touched_events') -%}
        {%- if not execute -%}
            {%- do source('ops', 'clock') -%}
        {%- endif -%}
        {{ return(every_event if is_whole_history() else touched_events) }}
    {%- endif -%}
    {{ return(every_event) }}
{%- endmacro %}

{#
    The rows of touched customers, from `staged`, or all in a rebuild, from `resolved`. The model
    begins with the CTE of `touched_identifiers()`.
#}
{% macro rows_to_compute(resolved, staged) -%}
    {%- set every_row = ref(resolved) -%}
    {%- if not execute or is_incremental() -%}
        {{ return(
            "(select touched_identifiers.customer_key, found.* from " ~ ref(staged) ~ " as found"
            ~ " inner join touched_identifiers"
            ~ " on found.ref_key = touched_identifiers.identifier_key)"
        ) }}
    {%- endif -%}
    {{ return(every_row) }}
{%- endmacro %}

{# A CTE of the identifiers of touched customers: read once, however many tables it looks into. #}
{% macro touched_identifiers() -%}
touched_identifiers as (
    {%- if not execute or is_incremental() %}
    select
        identifier_key,
        customer_key
    from {{ ref('int_touched_identifiers') }}
    {%- else %}
    select
        cast(null as varchar) as identifier_key,
        cast(null as varchar) as customer_key
    where false
    {%- endif %}
)
{%- endmacro %}
