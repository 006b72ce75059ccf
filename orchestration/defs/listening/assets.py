"""Who is mentioned in texts, and what is suddenly talked about."""

from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.partitions import newest
from orchestration.settings import settings

OWNERS = ["team:data-science"]
TERMS = dg.AssetKey(["ops", "listening_terms"])
MENTIONS = dg.AssetKey(["ops", "text_mentions"])
ISSUES = dg.AssetKey(["marts", "emerging_issues"])


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            TERMS,
            kinds={"yaml", "ducklake"},
            owners=OWNERS,
            description="One row per brand, product or competitor that is listened for.",
        ),
        dg.AssetSpec(
            MENTIONS,
            deps=[["ops", "masked_texts"]],
            kinds={"ducklake"},
            owners=OWNERS,
            description="One row per masked text, by content, and name that it mentions.",
        ),
    ],
    group_name="text",
    name="text_mentions",
)
def text_mentions(
    context: dg.AssetExecutionContext, lake: Lake
) -> tuple[dg.MaterializeResult[Any], dg.MaterializeResult[Any]]:
    """New texts are searched for the names; all of them after a change of the names."""
    from orchestration.listening.mentions import search_mentions

    found = search_mentions(lake, settings())
    for error in found.book.errors.values():
        context.log.warning(f"not listened for: {error}")
    return (
        dg.MaterializeResult(
            asset_key=TERMS,
            metadata={
                "names": len(found.book.names),
                "disabled": len(found.book.errors),
                "version": found.book.version,
            },
        ),
        dg.MaterializeResult(
            asset_key=MENTIONS,
            metadata={
                "texts_searched": found.texts,
                "mentions": found.mentions,
                "searched_anew": found.is_anew,
            },
        ),
    )


@dg.asset(
    key=ISSUES,
    deps=[["ops", "clock"], MENTIONS, ["marts", "feedback_signals"], newest("raw", "products")],
    group_name="text",
    kinds={"ducklake"},
    owners=OWNERS,
)
def emerging_issues(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per thing that was suddenly talked about: a burst of texts, or a new term."""
    from orchestration.listening.issue_table import issues_markdown, read_issues
    from orchestration.listening.issues import hear_issues

    heard = hear_issues(lake, settings())
    for issue in heard.issues:
        context.log.info(f"{issue.kind} of {issue.subject}: {', '.join(issue.words)}")
    with lake.reader(latest=True) as connection:
        newest = read_issues(connection, 20)
    return dg.MaterializeResult(
        metadata={
            "new_texts": heard.texts,
            "issues_found": len(heard.issues),
            "newest": dg.MetadataValue.md(issues_markdown(newest)),
        }
    )
