"""The code location: everything under ``defs/``."""

from pathlib import Path

import dagster as dg

from orchestration.settings import settings

settings().export()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
