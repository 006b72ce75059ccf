"""Claims about texts; personal data that is left keeps them from everything after."""

import dagster as dg

from orchestration.lake import Lake
from orchestration.settings import settings
from orchestration.texts.checks import (
    check_every_feedback_is_masked,
    check_every_text_is_read,
    check_languages_are_told,
    check_masked_texts_hold_no_personal_data,
)

MASKED = dg.AssetKey(["ops", "masked_texts"])
READINGS = dg.AssetKey(["ops", "text_readings"])


@dg.asset_check(asset=MASKED, blocking=True)
def every_feedback_is_masked(lake: Lake) -> dg.AssetCheckResult:
    """Every feedback of raw has exactly one masked text."""
    with lake.reader(latest=True) as connection:
        return check_every_feedback_is_masked(connection)


@dg.asset_check(asset=MASKED, blocking=True)
def masked_texts_hold_no_personal_data(lake: Lake) -> dg.AssetCheckResult:
    """No e-mail, telephone, card or IBAN is left in a sample of masked texts."""
    with lake.reader(latest=True) as connection:
        return check_masked_texts_hold_no_personal_data(connection)


@dg.asset_check(asset=READINGS)
def every_text_is_read(lake: Lake) -> dg.AssetCheckResult:
    """Every masked text has a reading, which has a mood or says why not."""
    with lake.reader(latest=True) as connection:
        return check_every_text_is_read(connection, is_on=settings().read_texts)


@dg.asset_check(asset=READINGS)
def languages_are_told(lake: Lake) -> dg.AssetCheckResult:
    """The language of most texts is clear."""
    with lake.reader(latest=True) as connection:
        return check_languages_are_told(connection)
