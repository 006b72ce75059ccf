{# Rows of the batches that this run carries through; the bounds are a row of ops.clock. #}
{% macro in_this_run(column='batch_id') -%}
    {%- set bounds = clock_row() -%}
    {{ column }} between {{ bounds['first_batch_id'] }} and {{ bounds['last_batch_id'] }}
{%- endmacro %}

{# The instant this run works as of. #}
{% macro as_of() -%}
    {{ clock_row()['as_of'] }}
{%- endmacro %}

{# Last batch of this run. #}
{% macro last_batch_id() -%}
    {{ clock_row()['last_batch_id'] }}
{%- endmacro %}

{# Whether models run: documentation and linting only compile them, and need no lake. #}
{% macro is_running() -%}
    {{ return(execute and flags.WHICH not in ('compile', 'generate', 'list', 'parse')) }}
{%- endmacro %}

{#
    The columns of ops.clock as expressions; where nothing runs they are bounds that hold no batch.

    Every model has a session of its own, in which they are set once.
#}
{% macro clock_row() -%}
    {%- set clock = source('ops', 'clock') -%}  {#- outside the condition: dbt notes it when parsing #}
    {%- if not is_running() -%}
        {{ return({
            'first_batch_id': 0, 'last_batch_id': 0, 'as_of': "timestamp '1970-01-01'"
        }) }}
    {%- endif -%}
    {%- set reader = invocation_id ~ model.unique_id -%}
    {%- set known = graph.get('shoal_clock', {}) -%}
    {%- if known.get('reader') == reader -%}
        {{ return(known['row']) }}
    {%- endif -%}
    {%- do carries_whole_history() -%}
    {%- set row = {} -%}
    {%- for column in ['first_batch_id', 'last_batch_id', 'as_of'] -%}
        {%- set query = "select " ~ column ~ " from " ~ clock -%}
        {%- do row.update({column: run_value('shoal_' ~ column, query)}) -%}
    {%- endfor -%}
    {%- do graph.update({'shoal_clock': {'reader': reader, 'row': row}}) -%}
    {{ return(row) }}
{%- endmacro %}

{# Whether this run carries every batch there is. #}
{% macro is_whole_history() -%}
    {%- set first = clock_row()['first_batch_id'] -%}
    {{ return(first <= 1 if first is number else carries_whole_history()) }}
{%- endmacro %}

{# The same, asked once per run; a process may keep the graph from one run to the next. #}
{% macro carries_whole_history() -%}
    {%- set known = graph.get('shoal_history', {}) -%}
    {%- if known.get('invocation_id') != invocation_id -%}
        {%- set found = run_query("select first_batch_id <= 1 from " ~ source('ops', 'clock')) -%}
        {%- if found.rows | length != 1 -%}
            {{ exceptions.raise_compiler_error(
                "ops.clock has " ~ found.rows | length ~ " rows instead of 1: "
                "run dbt through the Dagster assets, which set it"
            ) }}
        {%- endif -%}
        {%- set known = {'invocation_id': invocation_id, 'is_whole': found.rows[0][0]} -%}
        {%- do graph.update({'shoal_history': known}) -%}
    {%- endif -%}
    {{ return(known['is_whole']) }}
{%- endmacro %}
