"""An old version once more, from its record: same snapshot, same seed, same features."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.classifier import train
from ml.tasks import QUESTIONS
from ml.trained import EVIDENCE, TrainedModel
from orchestration.lake import Lake
from orchestration.registry import Version, code_version, library_versions, scratch_folder
from orchestration.training import save_model
from orchestration.training_frame import read_training_frame


class NotRetrainable(RuntimeError):
    """A version's record does not say enough to train it again."""


@dataclass(frozen=True)
class Retrained:
    """A version against its second training.

    Attributes
    ----------
    version : Version
    differing : tuple of str
        Model files that the second training did not give byte by byte; of JSON, which keys.
    largest_gap : float
        Largest difference of a score over all rows of the training frame.
    changed : mapping of str to (str, str)
        Code and libraries that are others now: then and now.
    """

    version: Version
    differing: tuple[str, ...]
    largest_gap: float
    changed: Mapping[str, tuple[str, str]]

    @property
    def is_identical(self) -> bool:
        return not self.differing and self.largest_gap == 0

    def lines(self) -> list[str]:
        """What came of it, for people."""
        snapshot = self.version.tags["lake_snapshot"]
        if self.is_identical:
            said = [
                f"{self.version.label} retrained from snapshot {snapshot}: identical, "
                "every byte of the model and every score"
            ]
        else:
            said = [
                f"{self.version.label} retrained from snapshot {snapshot}: differs in "
                f"{', '.join(self.differing)}; scores differ by at most {self.largest_gap:.2g}"
            ]
        return said + [
            f"  {what} was {then}, is {now}" for what, (then, now) in self.changed.items()
        ]


def retrain(version: Version, lake: Lake) -> Retrained:
    """Train a version again as its record says, and compare with the files kept.

    Nothing is registered. Seed, threads, features, parameters and horizon are those of the record,
    whatever the settings and searches are now.

    Raises
    ------
    SnapshotGone
        The lake no longer has the snapshot that the version learnt from.
    NotRetrainable
        The task is none of `ml.tasks`, or the record names no snapshot.
    """
    if version.task not in QUESTIONS or "lake_snapshot" not in version.tags:
        raise NotRetrainable(
            f"{version.label} cannot be trained again from its record: only versions of "
            f"{', '.join(QUESTIONS)} that name a lake snapshot can"
        )
    kept = TrainedModel.load(version.folder)
    frame, horizon_days, _ = read_training_frame(
        lake,
        version.task,
        int(version.tags["lake_snapshot"]),
        most_rows=kept.rows,
        seed=kept.seed,
    )
    if horizon_days != kept.horizon_days:
        raise NotRetrainable(
            f"{version.label} looks {kept.horizon_days} days ahead, but the labels of its snapshot "
            f"{horizon_days}: the record and the lake do not belong together"
        )
    trained = train(
        frame,
        QUESTIONS[version.task],
        horizon_days=kept.horizon_days,
        features=kept.features,
        parameters=kept.parameters,
        seed=kept.seed,
        num_threads=threads_of(kept),
    )
    with scratch_folder() as name:
        folder, before = Path(name) / "again", _in_files_of_today(version, kept, Path(name))
        save_model(trained, frame, folder)
        differing = [
            difference
            for path in sorted(folder.iterdir())
            if (difference := _difference(before / path.name, path))
        ]
    threads = threads_of(kept)
    gap = np.abs(trained.predict(frame, threads) - kept.predict(frame, threads))
    now = {"code_version": code_version(), "libraries": library_versions()}
    changed = {
        what: (version.tags.get(what, "not recorded"), value)
        for what, value in now.items()
        if version.tags.get(what) != value
    }
    return Retrained(version, tuple(differing), float(gap.max()), changed)


def _in_files_of_today(version: Version, kept: TrainedModel, scratch: Path) -> Path:
    """The version's own folder, or a copy where one file held model and evidence."""
    if (version.folder / EVIDENCE).exists():
        return version.folder
    copy = scratch / "kept"
    kept.save(copy)
    shutil.copy(version.folder / "typical.json", copy)
    return copy


def _difference(kept: Path, made: Path) -> str:
    """Empty where two files are byte by byte the same."""
    if not kept.exists():
        return f"{kept.name} (not kept)"
    if kept.read_bytes() == made.read_bytes():
        return ""
    if kept.suffix != ".json":
        return kept.name
    then, now = json.loads(kept.read_text()), json.loads(made.read_text())
    keys = [key for key in sorted({*then, *now}) if then.get(key) != now.get(key)]
    return f"{kept.name} ({', '.join(keys) or 'spelling'})"


def threads_of(model: TrainedModel) -> int:
    """Threads that trained a model's trees: LightGBM writes them into its text."""
    found = re.search(r"^\[num_threads: (\d+)\]$", model.model.trees, re.MULTILINE)
    if found is None:
        raise NotRetrainable(f"the trees of {model.kind} do not name the threads that made them")
    return int(found.group(1))
