"""Groups around centres: K-means, and a mixture of Gaussians that starts from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ml.segment_assigners import MixtureAssigner, PrototypeAssigner, nearest_group
from ml.segment_fitted import Fitted
from ml.segment_sample import even_rows

Array = npt.NDArray[np.float64]
STARTS = 10
"""K-means starts: fewer leave it in a local optimum that depends on the draw."""
START_ROWS = 2_500
"""The starts run on a sample; the best of them is refined on all points."""
STEPS = 50
ABOUT_AS_GOOD = 1.05
"""Sum of squares of an earlier solution, refined, over that of the best."""
RIDGE = 1e-2
"""Added to every variance of a mixture: customers with one order share the same values."""


def fit_kmeans(points: Array, settings: Sequence[float], seed: int) -> list[Fitted]:
    """K-means (Lloyd 1982) from the best of several k-means++ starts."""
    found = []
    for k in settings:
        assigner = _kmeans(points, int(k), seed)
        if assigner is not None:
            found.append(Fitted(k, assigner))
    return found


def continued(points: Array, centres: Array, found: PrototypeAssigner) -> PrototypeAssigner:
    """Prefer the solution that grows out of earlier centres where it is about as good.

    K-means has several solutions of nearly the same quality; a segmentation that is trained again
    should stay with its own.

    Parameters
    ----------
    points : float array, shape (n, d)
    centres : float array, shape (k, d)
        Earlier centres, in the space of the points.
    found : PrototypeAssigner
        The best solution from new starts.
    """
    from scipy.cluster.vq import ClusterError, kmeans2

    try:
        grown, _ = kmeans2(points, centres, iter=STEPS, minit="matrix", missing="raise")
    except ClusterError:
        return found  # a group died out
    own = PrototypeAssigner(grown, np.arange(len(grown)))
    errors = [solution.squares(points).min(axis=1).sum() for solution in (own, found)]
    return own if errors[0] <= ABOUT_AS_GOOD * errors[1] else found


def fit_mixture(points: Array, settings: Sequence[float], seed: int) -> list[Fitted]:
    """Mixture of diagonal Gaussians by expectation maximisation, started from K-means.

    On the simulated market full covariances find its personas less well.
    """
    from sklearn.mixture import GaussianMixture

    found = []
    for k in settings:
        start = _kmeans(points, int(k), seed)
        if start is None:
            continue
        groups = nearest_group(start, points)
        members = [points[groups == group] for group in range(int(k))]
        model = GaussianMixture(
            int(k),
            covariance_type="diag",
            reg_covar=RIDGE,
            max_iter=200,
            weights_init=np.bincount(groups, minlength=int(k)) / len(points),
            means_init=start.prototypes,
            precisions_init=[1 / (rows.var(axis=0) + RIDGE) for rows in members],
            random_state=seed,
        ).fit(points)
        assigner = MixtureAssigner(model.means_, model.precisions_, model.weights_)
        found.append(Fitted(k, assigner))
    return found


def _kmeans(points: Array, k: int, seed: int) -> PrototypeAssigner | None:
    """Centres with the least sum of squares; None where every start lost a group.

    SciPy's K-means: scikit-learn's costs twenty times as much on points as few as these.
    """
    from scipy.cluster.vq import ClusterError, kmeans2

    rng = np.random.default_rng((seed, k))
    sample = points[even_rows(len(points), START_ROWS)]
    best, least = None, np.inf
    for _ in range(STARTS):
        try:
            centres, _ = kmeans2(sample, k, iter=STEPS, minit="++", missing="raise", rng=rng)
        except ClusterError:
            continue  # a start that empties a group is no solution; the others go on
        error = PrototypeAssigner(centres, np.arange(k)).squares(sample).min(axis=1).sum()
        if error < least:
            best, least = centres, error
    if best is not None and len(sample) < len(points):
        best, _ = kmeans2(points, best, iter=STEPS, minit="matrix", missing="warn")
    return None if best is None else PrototypeAssigner(best, np.arange(k))
