"""Events of some visitors, found by their identifiers: whose all others are need not be known."""


def events_of(visitors: str) -> str:
    """SQL for the rows of ``intermediate.int_events`` of some visitors.

    The view asks of every event who owns its identifier; few events are those of a batch's
    visitors. That the result is the same, tests/dbt/test_incremental.py asserts after every batch.

    Parameters
    ----------
    visitors
        A relation with each ``visitor_key`` once, as it may stand after ``from``.
    """
    return f"""
        select
            identifiers.visitor_key,
            coalesce(identifiers.customer_key, events.ref_key) as customer_key,
            case when events.ref_key is null then identifiers.linked_at end as linked_at,
            events.*
        from staging.stg_events as events
        inner join (
            select
                identifier_key,
                customer_key as visitor_key,
                customer_key,
                linked_at,
                timestamp '-infinity' as owned_from,
                coalesce(owned_until, timestamp 'infinity') as owned_until
            from intermediate.identity_map
            where is_owner and customer_key in (select visitor_key from {visitors})

            union all

            -- nobody owns these, or nobody does any longer
            select
                visitors.visitor_key,
                visitors.visitor_key,
                null,
                null,
                coalesce(owners.owned_until, timestamp '-infinity'),
                timestamp 'infinity'
            from {visitors} as visitors
            left join (from intermediate.identity_map where is_owner) as owners
                on visitors.visitor_key = owners.identifier_key
            where owners.identifier_key is null or owners.owned_until is not null
        ) as identifiers
            on
                coalesce(events.ref_key, events.anonymous_key) = identifiers.identifier_key
                and events.occurred_at >= identifiers.owned_from
                and events.occurred_at < identifiers.owned_until
    """
