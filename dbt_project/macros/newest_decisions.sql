{# What a person decided last about each ref; a group of its own keeps it apart from all others. #}
{% macro newest_decisions() -%}
select
    ref_key,
    group_key,
    batch_id
from (
    select
        *,
        row_number() over (partition by ref_key order by batch_id desc, decided_at desc) as age_rank
    from {{ source('ops', 'identity_decisions') }}
) as decisions
where age_rank = 1
{%- endmacro %}
