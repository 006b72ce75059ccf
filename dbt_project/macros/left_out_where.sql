{#
    Where a condition on the run's rows holds, nothing that the model reads has changed: a process
    that runs its statements again leaves it out (`Recording.replay`). dbt computes it all the same.
#}
{% macro left_out_where(condition) -%}
    {%- if is_running() and is_incremental() -%}
        {%- do run_value('shoal_leaves_out_' ~ model.name, "select " ~ condition) -%}
    {%- endif -%}
{%- endmacro %}

{# That no text came, was masked, read or searched anew, and no name is listened for in other ways. #}
{% macro no_text_changed() -%}
    {%- if execute and not is_incremental() -%}  {#- dbt notes the sources when parsing #}
        {{ return('false') }}
    {%- endif -%}
    {%- set changes = [
        source('raw', 'feedback') ~ " where " ~ in_this_run()
    ] -%}
    {%- for table in ['masked_texts', 'text_readings', 'text_mentions'] -%}
        {%- do changes.append(
            source('ops', table) ~ " where changed_batch_id >= " ~ clock_row()['first_batch_id']
        ) -%}
    {%- endfor -%}
    {{ return("not exists (select 1 from " ~ changes | join(") and not exists (select 1 from ") ~ ")") }}
{%- endmacro %}
