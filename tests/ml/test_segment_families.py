"""Every family finds groups that are there, and places everybody."""

from __future__ import annotations

import numpy as np
import pytest
from planted import GROUPS, planted

from ml.segment_assigners import (
    Assigner,
    MixtureAssigner,
    PrototypeAssigner,
    assign,
    from_arrays,
    nearest_group,
)
from ml.segment_density import fit_dbscan, fit_hdbscan
from ml.segment_families import FAMILIES
from ml.segment_quality import rand_index
from ml.segment_sample import canonical_order
from ml.segment_som import train_map
from ml.segment_space import fit_space
from ml.segment_spaces import RFM

SETTINGS = {"hdbscan": 0.04, "dbscan": 0.8}


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points and truth of customers to fit on, in canonical order, and of others."""
    frames = planted(seed=0), planted(seed=7)
    space = fit_space(frames[0], RFM)
    points, others = (space.points(frame) for frame in frames)
    order = canonical_order(points)
    return points[order], frames[0]["truth"].to_numpy()[order], others


@pytest.fixture(scope="module", params=FAMILIES)
def assigner(request: pytest.FixtureRequest, data: tuple[np.ndarray, ...]) -> Assigner:
    setting = SETTINGS.get(request.param, len(GROUPS))
    return FAMILIES[request.param].fit(data[0], (setting,), 0)[0].assigner


def test_planted_groups_are_found(assigner: Assigner, data: tuple[np.ndarray, ...]) -> None:
    assert assigner.groups == len(GROUPS)
    assert rand_index(nearest_group(assigner, data[0]), data[1]) > 0.97


def test_new_customers_are_placed_with_their_like(
    assigner: Assigner, data: tuple[np.ndarray, ...]
) -> None:
    assert rand_index(nearest_group(assigner, data[2]), planted(seed=7)["truth"].to_numpy()) > 0.95


def test_assignments_are_ordered_and_independent_of_their_batch(
    assigner: Assigner, data: tuple[np.ndarray, ...]
) -> None:
    found = assign(assigner, data[2])
    squares = assigner.squares(data[2])
    rows = np.arange(len(data[2]))
    np.testing.assert_allclose(found.distance**2, squares.min(axis=1))
    assert (squares[rows, found.second] >= squares[rows, found.group]).all()
    assert ((found.margin >= 0) & (found.margin <= 1)).all()
    np.testing.assert_allclose(assigner.squares(data[2][40:60]), squares[40:60], atol=1e-9)


def test_rebuilt_and_reordered_groups_are_the_same(
    assigner: Assigner, data: tuple[np.ndarray, ...]
) -> None:
    again = from_arrays(assigner.kind, assigner.arrays())
    np.testing.assert_array_equal(again.squares(data[2]), assigner.squares(data[2]))
    order = [2, 0, 3, 1]
    turned = assigner.reordered(order).squares(data[2])
    np.testing.assert_allclose(turned, assigner.squares(data[2])[:, order], atol=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_fits_are_reproducible_and_described(name: str, data: tuple[np.ndarray, ...]) -> None:
    family = FAMILIES[name]
    setting = SETTINGS.get(name, 5)
    one, two = (family.fit(data[0], (setting,), 3)[0] for _ in range(2))
    for key, values in one.assigner.arrays().items():
        np.testing.assert_array_equal(values, two.assigner.arrays()[key])
    assert f"{one.assigner.groups} groups" in family.describe(one)


def test_unknown_assigners_are_refused() -> None:
    with pytest.raises(ValueError, match="no assigner is called 'oracle'"):
        from_arrays("oracle", {})
    with pytest.raises(ValueError, match="groups must be 0 to k - 1"):
        PrototypeAssigner.of(np.zeros((2, 2)), [0, 2])


def test_density_families_find_shapes_that_centres_cannot() -> None:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 800)
    radius = np.repeat([1.0, 4.0], [160, 640]) + rng.normal(0, 0.15, 800)
    rings = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    truth = np.repeat([0, 1], [160, 640])
    for fitted in (fit_hdbscan(rings, (0.1,), 0), fit_dbscan(rings, (0.99,), 0)):
        assert rand_index(nearest_group(fitted[0].assigner, rings), truth) == 1
    centres = FAMILIES["kmeans"].fit(rings, (2,), 0)[0].assigner
    assert rand_index(nearest_group(centres, rings), truth) < 0.1


def test_noise_is_counted_and_still_gets_the_nearest_group() -> None:
    rng = np.random.default_rng(0)
    blobs = np.concatenate([rng.normal(x, 0.2, (300, 2)) for x in (0.0, 6.0)])
    strays = np.array([[-14.0, -1.0], [19.0, 5.0], [-3.0, -19.0]])
    fitted = fit_hdbscan(np.concatenate([blobs, strays]), (0.1,), 0)[0]
    assert 0 < fitted.noise < 0.2
    found = assign(fitted.assigner, strays)
    at_home = assign(fitted.assigner, blobs)
    assert (
        found.group.tolist()
        == nearest_group(fitted.assigner, np.array([[0.0, 0.0], [6.0, 6.0], [0.0, 0.0]])).tolist()
    )
    assert found.distance.min() > at_home.distance.max()


def test_no_groups_are_no_solution() -> None:
    one = np.random.default_rng(0).normal(size=(400, 2))
    assert fit_dbscan(one, (0.9,), 0) == []


def test_a_mixture_tells_a_wide_group_from_a_narrow_one() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(0, 0.1, (500, 2)), rng.normal(1, 1.5, (500, 2))])
    truth = np.repeat([0, 1], 500)
    mixture, kmeans = (FAMILIES[n].fit(points, (2,), 0)[0].assigner for n in ("mixture", "kmeans"))
    assert rand_index(nearest_group(mixture, points), truth) > 0.8
    assert rand_index(nearest_group(kmeans, points), truth) < 0.5


def test_a_mixture_places_as_scikit_learn_does() -> None:
    from sklearn.mixture import GaussianMixture

    points = np.random.default_rng(0).normal(size=(300, 3)) * [1, 2, 3]
    model = GaussianMixture(4, covariance_type="diag", random_state=0).fit(points)
    mine = MixtureAssigner(model.means_, model.precisions_, model.weights_)
    np.testing.assert_array_equal(nearest_group(mine, points), model.predict(points))


def test_the_map_lies_over_the_customers(data: tuple[np.ndarray, ...]) -> None:
    trained = train_map(data[0], seed=0)
    assert trained.nodes.shape == (8, 8, 3)
    assert trained.hits.sum() == len(data[0])
    flat = trained.nodes.reshape(64, 3)
    nearest = np.sqrt(((data[0][:, None] - flat) ** 2).sum(axis=2)).min(axis=1)
    centre = np.linalg.norm(data[0] - data[0].mean(axis=0), axis=1)
    assert nearest.mean() < 0.3 * centre.mean()
