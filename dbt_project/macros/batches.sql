{# Rows of the batches that this run carries through; the bounds are a row of ops.clock. #}
{% macro in_this_run(column='batch_id') -%}
    {%- set bounds = clock_row() -%}
    {{ column }} between {{ bounds['first_batch_id'] }} and {{ bounds['last_batch_id'] }}
{%- endmacro %}

{# The instant this run works as of. #}
{% macro as_of() -%}
    timestamp '{{ clock_row()['as_of'] }}'
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
    Read as literals, so that the engine skips files by their statistics. Where nothing runs they
    are bounds that hold no batch.
#}
{% macro clock_row() -%}
    {%- set clock = source('ops', 'clock') -%}  {#- outside the condition: dbt notes it when parsing #}
    {%- set row = {'first_batch_id': 0, 'last_batch_id': 0, 'as_of': '1970-01-01'} -%}
    {#- one query per run instead of 36; a process may keep the graph from one run to the next -#}
    {%- set known = graph.get('shoal_clock', {}) if execute else {} -%}
    {%- if known.get('invocation_id') == invocation_id -%}
        {{ return(known) }}
    {%- endif -%}
    {%- if is_running() -%}
        {%- set result = run_query(
            "select first_batch_id, last_batch_id, as_of from " ~ clock
        ) -%}
        {%- if result.rows | length != 1 -%}
            {{ exceptions.raise_compiler_error(
                "ops.clock has " ~ result.rows | length ~ " rows instead of 1: "
                "run dbt through the Dagster assets, which set it"
            ) }}
        {%- endif -%}
        {%- do row.update({
            'first_batch_id': result.rows[0][0],
            'last_batch_id': result.rows[0][1],
            'as_of': result.rows[0][2],
            'invocation_id': invocation_id,
        }) -%}
        {%- do graph.update({'shoal_clock': row}) -%}
    {%- endif -%}
    {{ return(row) }}
{%- endmacro %}
