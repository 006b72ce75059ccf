{#
    Rules of seeds as literals: a pattern that is the same for all rows is compiled once, where one
    that comes from a join is compiled for every row. A changed seed counts from the next run on;
    `rebuild_job` applies it to what was computed before.
#}

{# Whether a user agent is a bot's by its own words. #}
{% macro is_bot_agent(user_agent) -%}
    {%- set patterns = bot_agent_rules() | map(attribute='pattern') | join('|') -%}
    coalesce({{ matches(user_agent, '(' ~ patterns ~ ')') }}, false)
{%- endmacro %}

{# What kind of program a user agent is; null for people. #}
{% macro bot_agent_reason(user_agent) -%}
    case
        {%- for reason, rules in bot_agent_rules() | groupby('reason') %}
        when {{ matches(user_agent, rules | map(attribute='pattern') | join('|')) }}
            then 'agent: {{ reason }}'
        {%- endfor %}
    end
{%- endmacro %}

{% macro bot_agent_rules() -%}
    {%- set seed = ref('bot_agents') -%}
    {{ return(rows_of_seed(
        "select pattern, reason from " ~ seed ~ " order by reason, pattern",
        [{'pattern': 'bot', 'reason': 'crawler'}]
    )) }}
{%- endmacro %}

{# What public device a user agent is of; null for a device of somebody's own. #}
{% macro public_device_reason(user_agent) -%}
    {%- set seed = ref('public_device_agents') -%}
    {%- set rules = rows_of_seed(
        "select pattern, reason from " ~ seed ~ " order by reason, pattern",
        [{'pattern': 'kiosk', 'reason': 'a kiosk'}]
    ) -%}
    case
        {%- for rule in rules %}
        when {{ matches(user_agent, rule['pattern']) }} then '{{ rule['reason'] }}'
        {%- endfor %}
    end
{%- endmacro %}

{# The group of channels of a visit or a message; `null` where a field is not known. #}
{% macro channel_group(channel, referrer='null', campaign='null') -%}
    {%- set fields = {
        'channel': channel, 'referrer': referrer_name(referrer), 'campaign': campaign
    } -%}
    {%- set unknown = [] -%}
    {%- if referrer == 'null' %}{% do unknown.append('referrer') %}{% endif -%}
    {%- if campaign == 'null' %}{% do unknown.append('campaign') %}{% endif -%}
    case
        {%- for rule in channel_group_rules() %}
        {%- set asked = fields.keys() | select('in', rule.keys()) | list %}
        {%- if not asked | select('in', unknown) | list %}
        when
            {%- for name in asked %}
            {% if not loop.first %}and {% endif %}{{ matches(fields[name], rule[name]) }}
            {%- endfor %}
            then '{{ rule['channel_group'] }}'
        {%- endif %}
        {%- endfor %}
        else 'direct'
    end
{%- endmacro %}

{# The rules in order, each with the fields that it asks. #}
{% macro channel_group_rules() -%}
    {%- set seed = ref('channel_groups') -%}
    {%- set rules = rows_of_seed(
        "select channel, referrer, campaign, channel_group from " ~ seed ~ " order by match_order",
        [{'channel': 'store', 'channel_group': 'store'}]
    ) -%}
    {{ return(rules) }}
{%- endmacro %}

{# Host of a referrer without `www.`, or the whole of it where it is a word. #}
{% macro referrer_name(referrer) -%}
    regexp_extract(lower({{ referrer }}), '^([a-z-]+://)?(www[.])?([^/?#:]+)', 3)
{%- endmacro %}

{# Rows of a query as dictionaries without empty fields, or a sample where nothing is run. #}
{% macro rows_of_seed(query, sample) -%}
    {%- if not execute or flags.WHICH in ('compile', 'generate', 'list', 'parse') -%}
        {{ return(sample) }}
    {%- endif -%}
    {%- set result = run_query(query) -%}
    {%- set rows = [] -%}
    {%- for row in result.rows -%}
        {%- set fields = {} -%}
        {%- for name in result.column_names if row[name] is not none -%}
            {%- do fields.update({name: row[name]}) -%}
        {%- endfor -%}
        {%- do rows.append(fields) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{# Steps of the longest funnel. #}
{% macro longest_funnel() -%}
    {%- set seed = ref('funnel_steps') -%}
    {%- set rows = rows_of_seed("select max(step_number) as steps from " ~ seed, [{'steps': 4}]) -%}
    {{ return(rows[0].get('steps', 0) | int) }}
{%- endmacro %}
