{# The events that an incremental model reads: those of touched visitors, or all in a rebuild. #}
{% macro events_to_compute() -%}
    {%- set every_event = ref('int_events') -%}
    {%- set touched_events = ref('int_touched_events') -%}
    {{ return(touched_events if is_incremental() else every_event) }}
{%- endmacro %}
