"""Names say what sets a group apart, and no two are alike."""

from __future__ import annotations

import numpy as np
import pytest
from planted import planted

from ml.segment_names import ROLES, name_segments
from ml.segment_profile import Effects, traits
from ml.segments import Protocol, fit_segments

RFM_ROLES = ("recency", "frequency", "value")


def named(rows: list[list[float]], roles: tuple[str | None, ...] = RFM_ROLES) -> tuple[str, ...]:
    labels = tuple(role or f"column {i}" for i, role in enumerate(roles))
    return name_segments(Effects(np.array(rows, dtype=float), roles, labels))


@pytest.mark.parametrize(
    ("effects", "name"),
    [
        ((-1, 1, 1), "loyal big spenders"),
        ((0.7, 0.2, 1), "lapsing big spenders"),
        ((1.5, -1, -1), "lapsed small spenders"),
        ((-1, -1, 0), "new buyers"),
        ((0, 1, 0), "regular buyers"),
        ((0, 0, 0), "typical customers"),
        ((0, 0, -1), "small spenders"),
    ],
)
def test_recency_orders_and_spend_make_the_name(effects: tuple[float, ...], name: str) -> None:
    assert named([list(effects)]) == (name,)


@pytest.mark.parametrize("role", ROLES)
def test_a_strong_trait_is_named_and_a_weak_one_is_not(role: str) -> None:
    roles = (*RFM_ROLES, role)
    high, low, weak = ([-1.0, 1, 1, size] for size in (1.2, -1.2, 0.3))
    assert named([high], roles) == (f"loyal big spenders {ROLES[role][0]}",)
    assert named([low], roles) == (f"loyal big spenders {ROLES[role][1]}",)
    assert named([weak], roles) == ("loyal big spenders",)


def test_shared_names_get_more_traits_before_ranks() -> None:
    roles = (*RFM_ROLES, "discount", "store")
    names = named([[-1, 1, 1, 2, 0], [-1, 1, 1, 2, 1], [-1, 1, 1, 0, 0]], roles)
    assert names == (
        "loyal big spenders who wait for discounts",
        "loyal big spenders who wait for discounts and who buy in stores",
        "loyal big spenders",
    )


def test_equal_descriptions_are_ranked() -> None:
    names = named([[0, 0, 0.4], [0, 0, 0.1], [0, 0, -0.2], [0, 0, -0.3], [2, -1, -1]])
    assert len(set(names)) == 5
    assert names[0] == "typical customers, most spend"
    assert names[3] == "typical customers, least spend"


@pytest.mark.parametrize("seed", range(20))
def test_names_are_unique_whatever_the_groups(seed: int) -> None:
    rng = np.random.default_rng(seed)
    roles = (*RFM_ROLES, *list(ROLES)[: seed % 5])
    effects = rng.normal(0, 0.9, (12, len(roles))).round(seed % 2)
    names = named(effects.tolist(), roles)
    assert len(set(names)) == 12
    assert names == named(effects.tolist(), roles)


def test_even_twins_have_names_of_their_own() -> None:
    assert len(set(named([[0, 0, 0]] * 4))) == 4


def test_columns_without_roles_are_named_by_themselves() -> None:
    names = named([[2.0, 0.0], [0.0, -1.0], [0.1, 0.1]], (None, None))
    assert names == ("high column 0", "low column 1", "close to the average")


def test_traits_are_in_the_unit_of_the_feature() -> None:
    frame = planted()
    protocol = Protocol(families=("kmeans",), k_range=(4,), bootstraps=1)
    table = traits(fit_segments(frame, protocol=protocol))
    spend = table[table["feature"] == "revenue_total"].set_index("segment_id")["typical"]
    expected = frame.groupby("truth")["revenue_total"].median().sort_values(ascending=False)
    np.testing.assert_allclose(spend.sort_index(), expected, rtol=0.1)
    effect = table["effect"].abs()
    assert (effect.groupby(table["segment_id"]).diff().dropna() <= 0).all()
