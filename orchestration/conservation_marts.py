"""The links from staging to the marts.

Of a run's batches these are the keys that the run computed anew, by its own tables
``int_touched_visitors`` and ``int_touched_events``, so that the cost is that of the batch.
"""

from orchestration.conservation_scope import TOUCHED, TOUCHED_REFS, Scope

NOTHING = "select '' as place, 0 as expected, 0 as found where false"
MEASURES = ("events", "orders", "returns", "cancellations", "messages", "feedback_given")
STAGED_ROWS = {
    "orders": (
        "ordered_at",
        "case status when 'completed' then 'orders' when 'returned' then 'returns' "
        "else 'cancellations' end",
        "true",
    ),
    "messages": ("sent_at", "'messages'", "not is_control"),
    "feedback": ("posted_at", "'feedback_given'", "true"),
}
"""Per entity its time, the measure of a customer's day that counts it, and which rows count."""


def touched_events(scope: Scope) -> str:
    """What ties the tables of a run to staging: every event of a batch was read, and once."""
    if scope.is_everything or "events" not in scope.fresh:
        return NOTHING
    return f"""
        with staged as (
            select batch_id, count(*) as events
            from staging.stg_events
            where {scope.batches()} and coalesce(ref_key, anonymous_key) is not null
            group by 1
        ),
        touched as (
            select batch_id, count(*) as events
            from intermediate.int_touched_events
            where {scope.batches()}
            group by 1
        )
        select
            'intermediate.int_touched_events of batch ' || batch_id as place,
            coalesce(staged.events, 0) as expected,
            coalesce(touched.events, 0) as found
        from staged full join touched using (batch_id)
        where expected <> found
    """


def sessions(scope: Scope) -> str:
    """Events of a visitor against those that sessions count, a person's or a program's.

    Of a run's visitors from where their sessions were computed anew. A session of the other
    stream, people or programs, that begins before and goes on beyond that instant cannot be
    divided: then the count has to lie between those without and with it.
    """
    if scope.is_everything:
        return """
            with events as (
                select visitor_key, count(*) as events
                from intermediate.int_events
                where visitor_key is not null
                group by 1
            ),
            sessions as (
                select visitor_key, sum(events) as events
                from intermediate.int_sessions
                group by 1
            )
            select
                'sessions of visitor ' || visitor_key as place,
                coalesce(events.events, 0) as expected,
                coalesce(sessions.events, 0) as found
            from events full join sessions using (visitor_key)
            where expected <> found
        """
    return f"""
        with touched as (
            select visitor_key, min(sessions_from) as cut_at
            from {TOUCHED}
            where touched_from is not null
            group by 1
        ),
        events as (
            select touched.visitor_key, count(events.event_id) as events
            from touched
            left join intermediate.int_touched_events as events
                on
                    touched.visitor_key = events.visitor_key
                    and events.occurred_at >= touched.cut_at
            group by 1
        ),
        sessions as (
            select
                touched.visitor_key,
                coalesce(
                    sum(sessions.events) filter (where sessions.started_at >= touched.cut_at), 0
                ) as fewest,
                coalesce(sum(sessions.events), 0) as most
            from touched
            left join intermediate.int_sessions as sessions
                on
                    touched.visitor_key = sessions.visitor_key
                    and sessions.ended_at >= touched.cut_at
            group by 1
        )
        select
            'sessions of visitor ' || visitor_key as place,
            events.events as expected,
            case when events.events < sessions.fewest then sessions.fewest else sessions.most end
                as found
        from events inner join sessions using (visitor_key)
        where events.events not between sessions.fewest and sessions.most
    """


def orders(scope: Scope) -> str:
    """An order of staging once, with all of its lines; lines wait where their order is not here."""
    names = [name for name in ("orders", "order_lines") if name in scope.fresh]
    if not names:
        return NOTHING
    refs = " union ".join(
        f"select order_ref from staging.stg_{name} where {scope.batches()}" for name in names
    )
    return f"""
        with refs as ({refs}),
        staged as (
            select distinct order_ref from staging.stg_orders semi join refs using (order_ref)
        ),
        lines as (
            select order_ref, count(*) as lines
            from staging.stg_order_lines semi join staged using (order_ref)
            group by 1
        ),
        held as (
            select order_ref, count(*) as times, sum(line_count) as lines
            from marts.orders {"" if scope.is_everything else "semi join refs using (order_ref)"}
            group by 1
        )
        select
            'marts.orders, order ' || coalesce(staged.order_ref, held.order_ref) as place,
            case when staged.order_ref is null then 0 else 1 end as expected,
            coalesce(held.times, 0) as found
        from staged full join held on staged.order_ref = held.order_ref
        where expected <> found
        union all
        select
            'marts.orders, lines of order ' || held.order_ref,
            coalesce(lines.lines, 0) as expected,
            held.lines as found
        from held left join lines on held.order_ref = lines.order_ref
        where expected <> found
    """


def feedback_signals(scope: Scope) -> str:
    """As many rows of signals as feedback, batch by batch."""
    if "feedback" not in scope.fresh:
        return NOTHING
    staged, held = (
        f"select batch_id, count(*) as rows from {table} where {scope.batches()} group by 1"
        for table in ("staging.stg_feedback", "marts.feedback_signals")
    )
    return f"""
        select
            'marts.feedback_signals of batch ' || batch_id as place,
            coalesce(staged.rows, 0) as expected,
            coalesce(held.rows, 0) as found
        from ({staged}) as staged full join ({held}) as held using (batch_id)
        where expected <> found
    """


def customer_days(scope: Scope) -> str:
    """What customers did against what their days count, measure by measure.

    What came before the first login on a device is on no day: nobody knew then whose it was.
    """
    events = "int_events" if scope.is_everything else "int_touched_events"
    sums = ", ".join(f"sum(days.{name}) as {name}" for name in MEASURES)
    rows = [
        f"""
        select touched.customer_key, {measure} as measure
        from staging.stg_{name} as rows
        inner join {TOUCHED_REFS} as touched on rows.ref_key = touched.ref_key
        where cast(rows.{time} as date) >= touched.first_day and {counts}
        """
        for name, (time, measure, counts) in STAGED_ROWS.items()
        if name in scope.known
    ]
    if "events" in scope.known:
        rows.append(
            f"""
            select touched.customer_key, 'events'
            from intermediate.{events} as rows
            inner join touched on rows.customer_key = touched.customer_key
            where
                rows.occurred_at >= coalesce(rows.linked_at, rows.occurred_at)
                and cast(rows.occurred_at as date) >= touched.first_day
            """
        )
    return f"""
        with touched as (
            {_CUSTOMERS}
        ),
        rows as (
            {" union all ".join(rows) or "select '' as customer_key, '' as measure where false"}
        ),
        expected as (
            select customer_key, measure, count(*) as rows from rows group by 1, 2
        ),
        sums as (
            select touched.customer_key, {sums}
            from touched
            inner join intermediate.int_customer_days as days
                on
                    touched.customer_key = days.customer_key
                    and days.activity_date >= touched.first_day
            group by 1
        ),
        counted as (
            unpivot sums on {", ".join(MEASURES)} into name measure value rows
        )
        select
            'intermediate.int_customer_days, ' || measure || ' of customer ' || customer_key
                as place,
            coalesce(expected.rows, 0) as expected,
            cast(coalesce(counted.rows, 0) as bigint) as found
        from expected full join counted using (customer_key, measure)
        where coalesce(expected.rows, 0) <> coalesce(counted.rows, 0)
    """


def days_so_far(scope: Scope) -> str:
    """How many days a customer has against the running count on the newest: none went missing."""
    return f"""
        select
            'intermediate.int_customer_days of customer ' || days.customer_key as place,
            max(days.active_days_to_date) as expected,
            count(*) as found
        from intermediate.int_customer_days as days
        semi join (from {TOUCHED} where is_customer) as touched
            on days.customer_key = touched.visitor_key
        group by days.customer_key
        having max(days.active_days_to_date) <> count(*)
    """


def customers(scope: Scope) -> str:
    """Everyone whom any row names, once among customers and once among their features."""
    of_run = f"where customer_key in (select visitor_key from {TOUCHED} where is_customer)"
    each = " union all ".join(
        f"""
        select
            'marts.{table}, customer ' || customer_key as place,
            case when named.customer_key is null then 0 else 1 end as expected,
            coalesce(held.times, 0) as found
        from named
        full join (
            select customer_key, count(*) as times
            from marts.{table}
            {"" if scope.is_everything else of_run}
            group by 1
        ) as held using (customer_key)
        """
        for table in ("customers", "customer_features")
    )
    return f"""
        with named as (select distinct customer_key from {TOUCHED_REFS})
        from ({each}) where expected <> found
    """


_CUSTOMERS = f"""
    select visitor_key as customer_key, cast(min(touched_from) as date) as first_day
    from {TOUCHED}
    where is_customer and touched_from is not null
    group by 1
"""
