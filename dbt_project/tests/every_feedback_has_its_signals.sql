{{ config(meta={'dagster': {'ref': {'name': 'feedback_signals'}}}) }}

-- Every feedback is in feedback_signals once, with its own text.

select coalesce(staged.feedback_ref, signals.feedback_ref) as feedback_ref
from {{ ref('stg_feedback') }} as staged
full join {{ ref('feedback_signals') }} as signals on staged.feedback_ref = signals.feedback_ref
where
    {{ no_later_batch([ref('stg_feedback')]) }}
    and (
        staged.feedback_ref is null
        or signals.feedback_ref is null
        or staged.content_hash is distinct from signals.content_hash
    )
