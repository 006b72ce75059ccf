"""The page of listening: one file that needs no other, with filters that work in the browser."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from orchestration.documents import STYLE
from orchestration.listening.issue_table import KINDS
from orchestration.listening.page_data import DAYS, PageData, for_browser, shortened
from orchestration.listening.unread import nothing_notice, unread_notice
from orchestration.rows import Row

TITLE = "What customers say"
_SECTIONS = (
    ("mood", "Mood over time", "Mean mood of the texts, from -1 (bad) to 1 (good), and how many."),
    (
        "topics",
        "Topics",
        "How many texts each topic has, and their mean mood: blue above 0.1, orange below -0.1.",
    ),
    (
        "voices",
        "Share of voice",
        "Share of each name in the texts of its group; a text counts once for each name.",
    ),
    ("examples", "Examples", "The newest texts, with personal data replaced by what it was."),
)


def listening_page(data: PageData, written: datetime, *, reads_texts: bool = True) -> str:
    """The page as HTML; ``reads_texts``: whether texts are to be read (``SHOAL_READ_TEXTS``).

    Every text of a customer is escaped in the HTML or inert in JSON, and the script puts it in as
    text; a policy allows that one script and nothing from elsewhere.
    """
    digest = base64.b64encode(hashlib.sha256(_part("page.js").encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    if data.texts:
        notice, shown = unread_notice(data.unread, data.texts, is_on=reads_texts), _shown(data)
    else:
        notice, shown = nothing_notice(DAYS), ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{TITLE}</title><style>{STYLE}{_part("page.css")}</style></head>
<body>
<main>
<h1>{TITLE}</h1>
<p>{data.texts:,} texts of the {DAYS} days before {data.as_of:%Y-%m-%d %H:%M} UTC. Written
{written:%Y-%m-%d %H:%M} UTC.</p>
{notice}
<h2>Emerging issues</h2>
{_issues(data.issues)}
{shown}
</main>
</body></html>
"""


def _shown(data: PageData) -> str:
    """What the script draws, and the script."""
    sections = "\n".join(_section(*section) for section in _SECTIONS)
    return f"""<form class="filters" aria-label="Filters" hidden>
<label>Kind of feedback <select id="source"></select></label>
<label>Segment of the customer <select id="segment"></select></label>
<output id="found" aria-live="polite"></output>
</form>
<noscript><p>What follows is drawn by the page's own script, which this browser does not
run.</p></noscript>
{sections}
<script type="application/json" id="data">{inert_json(for_browser(data))}</script>
<script>{_part("page.js")}</script>"""


def inert_json(value: Any) -> str:
    """JSON that nothing in it ends early: no ``<``, ``>`` or ``&``, no line separators."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _section(name: str, title: str, says: str) -> str:
    return (
        f'<section aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        f'<p>{says}</p><div id="{name}"></div></section>'
    )


def _issues(issues: Sequence[Row]) -> str:
    if not issues:
        return "<p>Nothing out of the usual was heard.</p>"
    return '<div class="issues">' + "\n".join(map(_issue, issues)) + "</div>"


def _issue(issue: Row) -> str:
    name = issue["subject_name"] or issue["subject"]
    words = ", ".join(issue["words"])
    examples = "".join(f"<li>{html.escape(shortened(text))}</li>" for text in issue["examples"])
    kind = "complaint" if issue["is_complaint"] else "talk"
    shown = f"<details><summary>Examples</summary><ul>{examples}</ul></details>" if examples else ""
    return (
        f'<article class="{kind}"><h3>{html.escape(name)}</h3>'
        f"<p><strong>{html.escape(KINDS[issue['kind']])}</strong>, {issue['severity']}: "
        f"{issue['texts']:,} texts since {issue['started_at']:%Y-%m-%d %H:%M}, noticed "
        f"{issue['noticed_at']:%H:%M}, last {issue['last_seen_at']:%Y-%m-%d %H:%M}</p>"
        f"<p>{html.escape(words)}</p>{shown}</article>"
    )


@cache
def _part(name: str) -> str:
    return files("orchestration.listening").joinpath(name).read_text(encoding="utf-8")
