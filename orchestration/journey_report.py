"""Pictures of how people move, from the journey tables."""

from collections.abc import Mapping

import duckdb

MONTHS = 12
"""Funnel, cohorts and attribution are drawn over so many months before the clock."""

_PERIOD = f"""
select
    strftime(greatest(min(occurred_at), max(clock.as_of) - interval {MONTHS} month), '%Y-%m-%d'),
    strftime(max(clock.as_of), '%Y-%m-%d')
from marts.journey_steps
cross join ops.clock as clock
"""
_TRANSITIONS = """
select from_step, to_step, transitions, probability, median_wait_hours as median_hours
from marts.journey_transitions
where level = 'step' and to_step <> '(end)'
"""
_FUNNEL = """
with steps as (
    select step_number, step, sum(visitors) as visitors
    from marts.funnels
    where funnel = (select min(funnel) from marts.funnels) and entry_date >= $first_day
    group by 1, 2
)
select
    step_number,
    step,
    visitors,
    visitors / nullif(lag(visitors) over (order by step_number), 0) as conversion_from_previous,
    visitors / nullif(first(visitors) over (order by step_number), 0) as conversion_from_first,
    cast(null as double) as median_hours_from_previous
from steps
order by step_number
"""
_COHORTS = """
select cohort_start as cohort, customers as cohort_size, period_number, retained_share
from marts.retention_cohorts
where cohort_unit = 'month' and is_complete and cohort_start >= $first_day
"""
_CREDITS = """
select model, channel_group as channel, sum(conversions) as conversions
from marts.channel_attribution
where conversion_date >= $first_day
group by 1, 2
having sum(conversions) > 0
"""


def draw_journeys(connection: duckdb.DuckDBPyConnection) -> Mapping[str, bytes]:
    """Journey map, funnel, retention and attribution as PNG, by name; empty without a step."""
    from ml.journey_plots import (
        attribution_png,
        funnel_png,
        journey_map_png,
        retention_heatmap_png,
    )

    first_day, last_day = connection.execute(_PERIOD).fetchall()[0]
    if first_day is None:
        return {}
    since = {"first_day": first_day}
    period = f"{first_day} to {last_day}"
    return {
        "journey_map": journey_map_png(
            connection.execute(_TRANSITIONS).df(), f"everything up to {last_day}"
        ),
        "funnel": funnel_png(connection.execute(_FUNNEL, since).df(), period),
        "retention": retention_heatmap_png(connection.execute(_COHORTS, since).df(), period),
        "attribution": attribution_png(connection.execute(_CREDITS, since).df(), period),
    }
