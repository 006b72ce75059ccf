"""A segmentation on disk: one JSON file to read and one npz of arrays, without pickle.

The same model gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml.segment_assigners import from_arrays
from ml.segment_first_format import read_first_format
from ml.segment_model import AtFit, SegmentModel
from ml.segment_space import SegmentSpace

FORMAT = 2
RECORD, ARRAYS = "segments.json", "segments.npz"


class UnknownFormat(ValueError):
    """The files are of another version of Shoal."""


def save(model: SegmentModel, folder: Path) -> None:
    """Write the files of a model into a folder that is there."""
    record: dict[str, Any] = {
        "format": FORMAT,
        "family": model.family,
        "assigner": model.assigner.kind,
        "ids": list(model.ids),
        "names": list(model.names),
        "colours": list(model.colours),
        "next_id": model.next_id,
        "seed": model.seed,
        "space": model.space.to_record(),
        "centroids": model.centroids.tolist(),
        "spreads": model.spreads.tolist(),
        "at_fit": asdict(model.at_fit),
        "selection": _columns(model.selection),
    }
    text = json.dumps(record, allow_nan=False, indent=1)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")
    np.savez_compressed(folder / ARRAYS, allow_pickle=False, **model.assigner.arrays())


def load(folder: Path) -> SegmentModel:
    """Read the files that `save` wrote.

    Raises
    ------
    UnknownFormat
        The record is of another format, and not the first.
    """
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if record.get("format") == 1:
        return read_first_format(record)
    if record.get("format") != FORMAT:
        raise UnknownFormat(
            f"{folder / RECORD}: format {record.get('format')}, not {FORMAT}: this segmentation is "
            "from another version of Shoal; materialize segment_model anew"
        )
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        assigner = from_arrays(record["assigner"], dict(arrays))
    fit = record["at_fit"]
    return SegmentModel(
        space=SegmentSpace.from_record(record["space"]),
        family=record["family"],
        assigner=assigner,
        ids=tuple(record["ids"]),
        names=tuple(record["names"]),
        colours=tuple(record["colours"]),
        centroids=np.array(record["centroids"], dtype=float),
        spreads=np.array(record["spreads"], dtype=float),
        at_fit=AtFit(
            fit["customers"], tuple(fit["shares"]), fit["silhouette"], tuple(fit["distances"])
        ),
        selection=_frame(record["selection"]),
        seed=int(record["seed"]),
        next_id=int(record["next_id"]),
    )


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Columns as lists, NaN as null."""
    return {
        str(name): [None if pd.isna(value) else value for value in table[name].tolist()]
        for name in table.columns
    }


def _frame(columns: dict[str, list[Any]]) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    for name in table.columns[table.isna().any()]:
        table[name] = table[name].astype(float)
    return table
