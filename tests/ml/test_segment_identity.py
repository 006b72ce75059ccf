"""A group stays itself when it is fitted again; a new one is new, and one that left is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted import GROUPS, Groups, planted

from ml.segment_identity import Identity, keep_identity, unique_name
from ml.segment_matching import NOBODY, match_centroids, match_members
from ml.segments import Protocol, SegmentModel, fit_segments

HOLIDAY = (2, 1, 9000, 120)
"""A persona that nobody has seen before: one large order, yesterday."""


def fitted(customers: pd.DataFrame, k: int) -> SegmentModel:
    protocol = Protocol(families=("kmeans",), pinned_k=k, bootstraps=1)
    return fit_segments(customers, protocol=protocol)


def refitted(
    groups: Groups, old: SegmentModel, k: int, **options: int
) -> tuple[pd.DataFrame, SegmentModel, Identity]:
    customers = planted(seed=9, groups=groups)
    return customers, *keep_identity(fitted(customers, k), old, customers, **options)


def persona_of(model: SegmentModel, customers: pd.DataFrame) -> dict[int, int]:
    """The planted group that most members of a segment are of, by its id."""
    ids = model.assign(customers)["segment_id"]
    return {int(i): int(customers["truth"][ids == i].mode()[0]) for i in ids.unique()}


@pytest.fixture(scope="module")
def before() -> tuple[pd.DataFrame, SegmentModel]:
    customers = planted()
    model = fitted(customers, len(GROUPS))
    return customers, model.relabelled([7, 2, 5, 3], ["a", "b", "c", "d"], next_id=9)


def test_other_customers_of_the_same_groups_keep_ids_names_and_colours(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    customers, old = before
    now, model, identity = refitted(GROUPS, old, len(GROUPS))
    assert persona_of(model, now) == persona_of(old, customers)
    assert {*zip(model.ids, model.names, model.colours, strict=True)} == {
        *zip(old.ids, old.names, old.colours, strict=True)
    }
    assert len(identity.kept) == len(GROUPS)
    assert not identity.born + identity.retired
    assert model.next_id == old.next_id
    # what was fitted anew decides who is in which group, not the labels
    both = old.assign(now)["segment_id"] == model.assign(now)["segment_id"]
    assert both.mean() > 0.99


def test_a_new_persona_is_born_and_the_others_keep_theirs(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    customers, old = before
    now, model, identity = refitted((*GROUPS, HOLIDAY), old, len(GROUPS) + 1)
    personas = persona_of(model, now)
    assert {i: p for i, p in personas.items() if p != len(GROUPS)} == persona_of(old, customers)
    ((born, name),) = identity.born
    assert personas[born] == len(GROUPS)
    assert born == 9
    assert model.next_id == 10
    assert not identity.retired
    assert len(set(model.colours)) == model.k
    assert any(f"segment 9 ({name}) is new" in notice for notice in identity.notices())


def test_a_vanished_persona_is_retired_and_its_id_never_comes_back(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    customers, old = before
    _, model, identity = refitted(GROUPS[1:], old, len(GROUPS) - 1)
    gone = next(i for i, persona in persona_of(old, customers).items() if persona == 0)
    assert identity.retired == ((gone, old.name_of(gone)),)
    assert gone not in model.ids
    assert any("is retired" in notice for notice in identity.notices())
    _, again, back = refitted(GROUPS, model, len(GROUPS))
    assert [number for number, _ in back.born] == [old.next_id]
    assert gone not in again.ids
    # some other version has given that id already
    assert refitted(GROUPS, model, len(GROUPS), next_id=12)[2].born[0][0] == 12


def test_one_persona_in_place_of_another_is_not_taken_for_it(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    """As many segments as before: without a limit the new one would inherit the id."""
    _, old = before
    now, model, identity = refitted((*GROUPS[1:], HOLIDAY), old, len(GROUPS))
    assert len(identity.born) == len(identity.retired) == 1
    assert persona_of(model, now)[identity.born[0][0]] == len(GROUPS) - 1


def test_the_first_segmentation_is_born_whole_and_keeps_clear_of_earlier_ids(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    customers, _ = before
    new = fitted(customers, len(GROUPS))
    first, identity = keep_identity(new, None, customers)
    assert (first.ids, first.names, first.colours) == (new.ids, new.names, new.colours)
    assert len(identity.born) == new.k
    later, _ = keep_identity(new, None, customers, next_id=6, names_ever=new.names)
    assert later.ids == (6, 7, 8, 9)
    assert not set(later.names) & set(new.names)


def test_spaces_without_a_common_feature_are_matched_by_their_members(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    customers, old = before
    new = fitted(customers, len(GROUPS))
    space = replace(new.space, spec=replace(new.space.spec, name="other"))
    model, identity = keep_identity(replace(new, space=space), old, customers)
    assert len(identity.kept) == len(GROUPS)
    assert persona_of(model, customers) == persona_of(old, customers)
    assert all(np.isnan(each.distance) for each in identity.kept)


def test_a_name_that_no_longer_fits_is_kept_and_said(
    before: tuple[pd.DataFrame, SegmentModel],
) -> None:
    _, old = before
    _, _, identity = refitted(GROUPS, old, len(GROUPS))
    assert sum("keeps the name" in notice for notice in identity.notices()) == len(GROUPS)
    same = keep_identity(model := fitted(planted(), len(GROUPS)), model, planted())[1]
    assert same.notices() == ()


SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def test_centroids_match_whatever_their_order_and_unit() -> None:
    rng = np.random.default_rng(0)
    for unit in (1e-3, 1.0, 1e6):
        order = rng.permutation(4)
        moved = (SQUARE[order] + rng.normal(0, 0.5, SQUARE.shape)) * unit
        matched, distance = match_centroids(SQUARE * unit, moved)
        assert matched.tolist() == order.tolist()
        assert (distance < 0.3).all()


@pytest.mark.parametrize(("step", "is_same"), [(3.0, True), (6.0, True), (8.0, False)])
def test_a_group_may_drift_but_not_as_far_as_the_next_one(step: float, is_same: bool) -> None:
    moved = SQUARE.copy()
    moved[3] += (step, 0.0)
    matched, _ = match_centroids(SQUARE, moved)
    assert matched.tolist() == [0, 1, 2, 3 if is_same else NOBODY]


def test_all_may_drift_together() -> None:
    assert match_centroids(SQUARE, SQUARE + 4.0)[0].tolist() == [0, 1, 2, 3]


def test_the_larger_part_of_a_split_keeps_the_id_and_the_larger_of_a_merger() -> None:
    split = np.vstack([SQUARE, [[14.0, 14.0]]])
    split[3] = (9.0, 9.0)
    assert match_centroids(SQUARE, split)[0].tolist() == [0, 1, 2, 3, NOBODY]
    merged = np.vstack([SQUARE[:2], [[3.0, 10.0]]])
    assert match_centroids(SQUARE, merged)[0].tolist() == [0, 1, 2]


def test_nothing_matches_nothing() -> None:
    assert match_centroids(np.empty((0, 2)), SQUARE)[0].tolist() == [NOBODY] * 4
    assert match_centroids(SQUARE[:1], SQUARE[:1])[0].tolist() == [0]


def test_members_match_by_the_most_of_both() -> None:
    old = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1]
    new = [1, 1, 1, 0, 0, 0, 2, 2, 2, 2]
    assert match_members(old, new, (3, 3)).tolist() == [1, 0, NOBODY]


def test_a_name_that_another_had_is_told_apart() -> None:
    assert unique_name("loyal", 4, ("new",)) == "loyal"
    assert unique_name("loyal", 4, ("loyal",)) == "loyal (4)"
