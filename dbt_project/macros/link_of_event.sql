{#
    Join condition between events and identity_map: only an event without a customer of its own
    takes the customer of its browser. As one equality it is a hash join; with `ref_key is null` as a second condition of a left join DuckDB compares every event with every link.
#}
{% macro link_of_event(events='events', links='links') -%}
    case when {{ events }}.ref_key is null then {{ events }}.anonymous_key end
    = {{ links }}.anonymous_key
{%- endmacro %}
