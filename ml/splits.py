"""Time splits: which as-of dates may teach a model that is judged at a later one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import LARGEST

BoolArray = npt.NDArray[np.bool_]


OWN_DATE_ROWS = 1_000
"""Rows that each part of a split needs for a calibration date of its own."""


class NotEnoughHistory(ValueError):
    """The training frame has too few dates, rows or classes to train and judge a model."""


class NothingToLearnFrom(NotEnoughHistory):
    """The source has nothing at all of what a task is about, as many sources have not."""


@dataclass(frozen=True)
class TimeSplit:
    """As-of dates by role; the label window of a date is ``[as_of, as_of + horizon)``.

    Attributes
    ----------
    fit : tuple of Timestamp
        Older training dates, ascending.
    validation : Timestamp
        Chooses rounds and penalty; calibrates too where `calibration` is None.
    test : Timestamp
        Newest date of the frame, touched only to judge.
    horizon_days : int
        Length of the label window in days.
    calibration : Timestamp or None
        Of a probability, the newest date whose label window ends by `test`, where the history is
        long enough for one that chose nothing: level and slope are what a model that learnt only
        what was known `before` it got wrong there.
    """

    fit: tuple[pd.Timestamp, ...]
    validation: pd.Timestamp
    test: pd.Timestamp
    horizon_days: int
    calibration: pd.Timestamp | None = None

    @property
    def training(self) -> tuple[pd.Timestamp, ...]:
        """Every date whose label is known at the test cutoff."""
        newest = () if self.calibration is None else (self.calibration,)
        return (*self.fit, self.validation, *newest)

    @property
    def calibrating(self) -> pd.Timestamp:
        """The date that calibrates: one of its own, or the validation date."""
        return self.validation if self.calibration is None else self.calibration

    def before(self, instant: pd.Timestamp) -> tuple[pd.Timestamp, ...]:
        """Training dates whose label was known at an instant."""
        window = pd.Timedelta(days=self.horizon_days)
        return tuple(date for date in self.training if date + window <= instant)

    @property
    def probe_fit(self) -> tuple[pd.Timestamp, ...]:
        """Fit dates whose label window ends by the validation date; all of `fit` if none does.

        Labels of neighbouring dates share most of their window. Rounds chosen on a validation
        date that shares labels with the fit dates are far too many (one origin of
        Online Retail: no stop within 1,000 rounds, against 190 with a purged fit).
        """
        return self.before(self.validation) or self.fit

    @property
    def is_purged(self) -> bool:
        """Whether `probe_fit` shares no label day with the validation window."""
        return self.probe_fit[-1] + pd.Timedelta(days=self.horizon_days) <= self.validation

    def rows(self, frame: pd.DataFrame, dates: tuple[pd.Timestamp, ...]) -> BoolArray:
        """Say which rows of a frame belong to some dates.

        Parameters
        ----------
        frame : DataFrame, n rows
            Has a column ``as_of``.
        dates : tuple of Timestamp
            Dates of this split.

        Returns
        -------
        mask : bool array, shape (n,)
        """
        mask: BoolArray = frame["as_of"].isin(list(dates)).to_numpy(dtype=bool)
        return mask


def as_of_dates(frame: pd.DataFrame) -> list[pd.Timestamp]:
    """Return the distinct as-of dates of a frame, ascending."""
    if "as_of" not in frame.columns:
        raise KeyError(f"no column 'as_of' in the training frame (has: {', '.join(frame.columns)})")
    return [pd.Timestamp(date) for date in np.sort(frame["as_of"].dropna().unique())]


def split_by_time(
    frame: pd.DataFrame, horizon_days: int, *, min_rows: int = 100, binary: bool = True
) -> TimeSplit:
    """Split a labelled frame by as-of date, so that nothing is learnt from after the test cutoff.

    Parameters
    ----------
    frame : DataFrame
        One row per (customer, ``as_of``), with a column ``label`` free of nulls.
    horizon_days : int
        Length of the label window in days.
    min_rows : int, default 100
        Fewest rows that fit, validation and test each must have.
    binary : bool, default True
        Whether fit, validation and test each must show both labels 0 and 1. For a value
        label (False) each must have some value above zero.

    Returns
    -------
    TimeSplit

    Raises
    ------
    NotEnoughHistory
        Too few dates, rows or classes; the message says what is there and what is needed.
    ValueError
        A horizon below one day, or labels that are null or out of their range.
    """
    if horizon_days < 1:
        raise ValueError(f"horizon_days must be at least 1, not {horizon_days}")
    dates = as_of_dates(frame)
    _check_labels(frame, binary=binary)
    if not dates:
        raise NotEnoughHistory("the training frame has no rows: nothing to train on")
    test = dates[-1]
    window = pd.Timedelta(days=horizon_days)
    known = [date for date in dates if date + window <= test]
    if len(known) < 2:
        raise NotEnoughHistory(
            f"{len(known)} of {len(dates)} as-of dates ({dates[0]:%Y-%m-%d} to {test:%Y-%m-%d}) "
            f"have a {horizon_days}-day label window that ends by the test cutoff "
            f"{test:%Y-%m-%d}; at least 2 are needed (one to fit, one to validate). "
            f"Add older as-of dates or shorten the horizon."
        )
    split = TimeSplit(tuple(known[:-1]), known[-1], test, horizon_days)
    _check_parts(frame, split, split.fit, min_rows=min_rows, binary=binary)
    if not binary or len(known) < 3:
        return split
    longer = TimeSplit(tuple(known[:-2]), known[-2], test, horizon_days, known[-1])
    enough = max(min_rows, OWN_DATE_ROWS)
    try:
        _check_parts(frame, longer, longer.before(known[-2]), min_rows=enough, binary=binary)
    except NotEnoughHistory:
        return split
    return longer


def _check_parts(
    frame: pd.DataFrame,
    split: TimeSplit,
    fit: tuple[pd.Timestamp, ...],
    *,
    min_rows: int,
    binary: bool,
) -> None:
    parts = {"fit": fit, "validation": (split.validation,), "test": (split.test,)}
    if split.calibration is not None:
        parts["calibration"] = (split.calibration,)
    for role, dates in parts.items():
        if not dates:
            raise NotEnoughHistory(f"no {role} dates")
        labels = frame.loc[split.rows(frame, dates), "label"]
        _check_part(role, dates[0], dates[-1], labels, min_rows=min_rows, binary=binary)


def _check_labels(frame: pd.DataFrame, *, binary: bool) -> None:
    if "label" not in frame.columns:
        raise KeyError(f"no column 'label' in the training frame (has: {', '.join(frame.columns)})")
    label = frame["label"]
    if label.isna().any():
        raise ValueError(f"{int(label.isna().sum())} of {len(label)} labels are null")
    if binary and not label.isin([0, 1]).all():
        raise ValueError("labels must be 0 or 1")
    if not binary and not np.isfinite(label.to_numpy(dtype=float)).all():
        raise ValueError("values must be finite")
    if not binary and bool((label < 0).any()):
        raise ValueError(f"{int((label < 0).sum())} values are below zero; clip returns first")
    if not binary and bool((label > LARGEST).any()):
        raise ValueError(
            f"{int((label > LARGEST).sum())} values are above {LARGEST:g}: no spend is; "
            "look for orders with impossible prices or quantities"
        )


def _check_part(
    role: str,
    first: pd.Timestamp,
    last: pd.Timestamp,
    labels: pd.Series,
    *,
    min_rows: int,
    binary: bool,
) -> None:
    where = f"{role} dates {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    if len(labels) < min_rows:
        raise NotEnoughHistory(f"{where} have {len(labels)} rows; at least {min_rows} are needed")
    classes = sorted(int(value) for value in labels.unique()) if binary else []
    if binary and len(classes) < 2:
        raise NotEnoughHistory(
            f"{where} have one class only (label {classes[0]} in all {len(labels)} rows); "
            f"both 0 and 1 are needed"
        )
    if not binary and not bool((labels > 0).any()):
        raise NotEnoughHistory(f"{where} have no value above zero in {len(labels)} rows")
