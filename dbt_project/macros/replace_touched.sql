{#
    Incremental strategy: replace what a touched visitor owns from the first touched instant on.

    Deleting by visitor and not by key also removes rows that no longer exist, such as the sessions
    of a browser that turned out to be a customer. The model says in `meta` which column holds the
    visitor (`visitor_column`) and which of its rows are replaced (`replace_when`, over `target`
    and `touched`).
#}
{% macro get_incremental_replace_touched_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    {%- set meta = config.get('meta') -%}
    delete from {{ arguments['target_relation'] }} as target
    using {{ ref('int_touched_visitors') }} as touched
    where
        target.{{ meta['visitor_column'] }} = touched.visitor_key
        and {{ meta['replace_when'] }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arguments['temp_relation'] }};
{%- endmacro %}

{#
    Incremental strategy: replace every day from the first changed one on, so that a day on which
    nothing is left disappears. The model says in `meta` which column holds the day (`day_column`).
#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }}
    where {{ config.get('meta')['day_column'] }} >= {{ first_changed_day() }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arguments['temp_relation'] }};
{%- endmacro %}

{#
    Incremental strategy: replace every row. A table that is made anew is another table to the lake,
    with a commit of its own for each of its names on the way.
#}
{% macro get_incremental_replace_all_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }};

    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arguments['temp_relation'] }};
{%- endmacro %}
