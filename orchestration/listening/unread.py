"""What the page of listening says of texts that nothing has read, and what to do about it."""

import html
from collections.abc import Mapping

from orchestration.texts.models import INSTALL_COMMAND

NOT_INSTALLED, NOT_READ_YET = "not_installed", "not_read_yet"
_WHY = {
    NOT_INSTALLED: "what reads texts is not installed",
    NOT_READ_YET: "they wait to be read",
    "language": "they are in a language that the models do not speak",
    "empty": "there are no words in them",
}
_WITHOUT = "without mood, intent and topic; complaints among them are not heard"
_RUN = (
    "launch <code>daily_job</code> in the UI (<code>make dev</code>), or wait until it runs by "
    "itself at 03:15 UTC: it reads all that waited and writes this page anew. "
    "<code>training_job</code> finds the topics."
)
_DO = {
    NOT_INSTALLED: (
        f"To read texts, install the extra <code>text</code> with "
        f"<code>{html.escape(INSTALL_COMMAND, quote=False)}</code> (on Linux the CPU build of "
        f"torch first, see <code>docs/text.md</code>). Then {_RUN}"
    ),
    NOT_READ_YET: (
        f"To have waiting texts read, {_RUN} Where they stay unread, the log of the asset "
        "<code>text_readings</code> says why."
    ),
}
_SWITCHED_OFF = (
    "Reading is switched off by <code>SHOAL_READ_TEXTS=false</code>: take that out of "
    f"<code>.env</code> or the environment. Then {_RUN}"
)


def unread_notice(unread: Mapping[str, int], texts: int, *, is_on: bool) -> str:
    """How many of the shown texts were not read, why, and what to do, as HTML.

    Parameters
    ----------
    unread : mapping of str to int
        Texts by ``unread_reason`` of ``marts.feedback_signals``.
    texts : int
        All that are shown.
    is_on : bool
        Whether texts are to be read at all (``SHOAL_READ_TEXTS``).

    Returns
    -------
    str
        Empty where every text was read.
    """
    missing = sum(unread.values())
    if not missing:
        return ""
    if missing == texts:
        head = f"<strong>None of the {texts:,} texts was read</strong>: they are"
    else:
        were = "was" if missing == 1 else "were"
        head = f"<strong>{missing:,} of {texts:,} texts {were} not read</strong>: shown"
    reasons = "".join(
        f"<li>{count:,}: {html.escape(_WHY.get(reason, reason))}</li>"
        for reason, count in sorted(unread.items(), key=lambda each: (-each[1], each[0]))
    )
    remedies = _DO if is_on else {**_DO, NOT_READ_YET: _SWITCHED_OFF}
    steps = "".join(f"<p>{says}</p>" for reason, says in remedies.items() if reason in unread)
    return (
        f'<div class="notice" role="note"><p>{head} {_WITHOUT}.</p><ul>{reasons}</ul>{steps}</div>'
    )


def nothing_notice(days: int) -> str:
    """What there is to do where no text is shown at all, as HTML."""
    return (
        f'<div class="notice" role="note"><p><strong>There is no text of these {days} days.'
        "</strong> Reviews, tickets, chats and posts arrive as files of the entity "
        "<code>feedback</code>, in <code>landing/feedback</code> or by <code>shoal land</code>; "
        f"then {_RUN} See <code>docs/text.md</code>.</p></div>"
    )
