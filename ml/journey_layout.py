"""Where the steps of a journey map stand, and how the arrows between them run; in inches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

BOX = (1.5, 0.6)
GAP = (1.15, 0.9)
MARGIN = 0.4
MOST_COLUMNS = 7
BENDS = (0.12, 0.2, 0.3, 0.42, 0.55, 0.7)
Point = tuple[float, float]
Curve = tuple[Point, Point, Point]
"""Start, control point and end of a quadratic Bezier curve."""


@dataclass(frozen=True)
class Layout:
    """Where each step stands and each arrow runs.

    Attributes
    ----------
    centre : dict of str to (float, float)
        Inches from the lower left corner.
    curve : dict of (str, str) to (point, point, point)
        Start, control point and end of each arrow, a quadratic Bezier curve.
    size : (float, float)
        Width and height of the whole.
    """

    centre: dict[str, Point]
    curve: dict[tuple[str, str], Curve]
    size: tuple[float, float]


def lay_out(transitions: pd.DataFrame) -> Layout:
    """Place steps in columns so that few transitions point back to the left.

    Steps are put in a sequence that few transitions go against; then each stands one column after
    the earlier step that sends most to it, and what nothing leaves stands last.

    Source of the sequence: Eades, Lin and Smyth (1993), "A fast and effective heuristic for the
    feedback arc set problem", Information Processing Letters 47(6).

    Parameters
    ----------
    transitions : DataFrame
        ``from_step``, ``to_step``, ``transitions``; at least one row.

    Returns
    -------
    Layout
    """
    steps = sorted({*transitions["from_step"], *transitions["to_step"]})
    flow = np.zeros((len(steps), len(steps)))
    number = {step: i for i, step in enumerate(steps)}
    for before, after, count in edges(transitions):
        if before != after:
            flow[number[before], number[after]] += count
    column = _columns(flow)
    columns = [np.flatnonzero(column == c).tolist() for c in np.unique(column)]
    rows = _order(columns, flow + flow.T)
    pitch = BOX[1] + GAP[1]
    centre = {}
    for c, members in enumerate(rows):
        # Neighbouring columns stand half a row apart, so that long arrows miss the boxes.
        shift = (0.25 if c % 2 else -0.25) * pitch
        for r, member in enumerate(members):
            y = shift + ((len(members) - 1) / 2 - r) * pitch
            centre[steps[member]] = (BOX[0] / 2 + c * (BOX[0] + GAP[0]), y)
    pairs = {(before, after) for before, after, _ in edges(transitions)}
    curve = {pair: _curve(*pair, centre, both=pair[::-1] in pairs) for pair in sorted(pairs)}
    reach = np.vstack(
        [
            *(bezier_points(*bezier) for bezier in curve.values()),
            np.array(list(centre.values())) + np.array(BOX) / 2,
            np.array(list(centre.values())) - np.array(BOX) / 2,
        ]
    )
    corner = reach.min(axis=0) - MARGIN
    width, height = reach.max(axis=0) + MARGIN - corner

    def move(point: Point) -> Point:
        return (float(point[0] - corner[0]), float(point[1] - corner[1]))

    return Layout(
        {step: move(point) for step, point in centre.items()},
        {pair: (move(a), move(b), move(c)) for pair, (a, b, c) in curve.items()},
        (float(width), float(height)),
    )


def bezier_points(start: Point, bend: Point, end: Point) -> npt.NDArray[np.float64]:
    """Points along a curve, its ends left out; shape (39, 2)."""
    t = np.linspace(0.12, 0.88, 39)[:, None]
    curve: npt.NDArray[np.float64] = (
        (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(bend) + t**2 * np.array(end)
    )
    return curve


def edges(transitions: pd.DataFrame) -> list[tuple[str, str, float]]:
    """From, to and count of every transition."""
    names = (transitions["from_step"].astype(str), transitions["to_step"].astype(str))
    return list(zip(*names, transitions["transitions"].astype(float), strict=True))


def _columns(flow: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    left = list(range(len(flow)))
    first: list[int] = []
    last: list[int] = []
    while left:
        within = flow[np.ix_(left, left)]
        out, into = within.sum(axis=1), within.sum(axis=0)
        if (out == 0).any():
            last.insert(0, left.pop(int(np.argmax(out == 0))))
        elif (into == 0).any():
            first.append(left.pop(int(np.argmax(into == 0))))
        else:
            first.append(left.pop(int(np.argmax(out - into))))
    column = np.zeros(len(flow), dtype=np.int64)
    sequence = first + last
    for place, step in enumerate(sequence):
        earlier = sequence[:place]
        if earlier and flow[earlier, step].any():
            column[step] = column[earlier[int(np.argmax(flow[earlier, step]))]] + 1
    ends = (flow.sum(axis=1) == 0) & (flow.sum(axis=0) > 0)
    column[ends] = max(int(column[ends].max(initial=0)), int(column[~ends].max(initial=-1)) + 1)
    if column.max() >= MOST_COLUMNS:
        column = np.rint(column * (MOST_COLUMNS - 1) / column.max()).astype(np.int64)
    return column


def _order(columns: list[list[int]], tie: npt.NDArray[np.float64]) -> list[list[int]]:
    """Sort each column by the mean place of what its steps are tied to (barycentre sweeps)."""
    columns = [sorted(members, key=lambda m: -tie[m].sum()) for members in columns]
    for _ in range(4):
        place = {
            m: r - (len(members) - 1) / 2 for members in columns for r, m in enumerate(members)
        }
        others = np.array([place[m] for m in sorted(place)])
        columns = [
            sorted(
                members,
                key=lambda m: (float(tie[m] @ others / max(tie[m].sum(), 1e-9)), m),
            )
            for members in columns
        ]
    return columns


def _curve(before: str, after: str, centre: dict[str, Point], *, both: bool) -> Curve:
    """Start, control point and end of an arrow that runs behind few boxes."""
    (x0, y0), (x1, y1) = centre[before], centre[after]
    if before == after:
        top = y0 + BOX[1] / 2
        return (x0 - 0.3, top), (x0, top + 0.75), (x0 + 0.3, top)
    others = np.array([c for step, c in centre.items() if step not in (before, after)])
    best, least = ((x0, y0), (x0, y0), (x1, y1)), np.inf
    # Arrows of a pair bend to the left of their own way, which keeps them apart.
    for side in (1,) if both else (1, -1):
        for amount in BENDS:
            rad = -side * amount
            bend = ((x0 + x1) / 2 + rad * (y1 - y0), (y0 + y1) / 2 - rad * (x1 - x0))
            points = bezier_points((x0, y0), bend, (x1, y1))
            away = np.abs(points[:, None, :] - others.reshape(1, -1, 2))
            hidden = (away < np.array(BOX) / 2 + 0.1).all(axis=2).any(axis=1).sum()
            cost = float(hidden) + 8 * amount + 0.5 * (side < 0)
            if cost < least:
                best, least = ((x0, y0), bend, (x1, y1)), cost
    return best
