{#
    A CTE body that gives every ref the smallest rank that it can reach over pairs of refs.

    `refs` has ref_key and ref_rank, `pairs` has ref_key, other_key and other_rank. A rank goes on
    only to refs that rank after it, so a component of n refs costs at most n times its pairs.
#}
{% macro reachable(refs, pairs) -%}
    select
        ref_key,
        ref_rank as reached_rank
    from {{ refs }}

    union

    select
        {{ pairs }}.other_key as ref_key,
        reached.reached_rank
    from reached
    inner join {{ pairs }} on reached.ref_key = {{ pairs }}.ref_key
    where reached.reached_rank < {{ pairs }}.other_rank
{%- endmacro %}
