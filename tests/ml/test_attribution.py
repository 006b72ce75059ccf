"""Every model shares out each conversion whole, whatever the order or grouping of the rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import attribution
from ml.attribution import MODELS, markov, parse_path, removal_effects, shapley, time_decay
from ml.attribution_paths import PATH_COLUMNS

Model = Callable[[pd.DataFrame], pd.DataFrame]
EVERY_MODEL = pytest.mark.parametrize("name", [*MODELS, "markov_order_2"])
RESERVED = ("(start)", "(conversion)", "(null)", "start", "nan")


def model(name: str) -> Model:
    return (lambda paths: markov(paths, order=2)) if name == "markov_order_2" else MODELS[name]


def frame(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=PATH_COLUMNS)
    return table.assign(path=table["path"].map(parse_path))


def by_channel(credits: pd.DataFrame, column: str = "conversions") -> dict[str, float]:
    return dict(zip(credits["channel"], credits[column], strict=True))


@st.composite
def journeys(draw: st.DrawFn) -> pd.DataFrame:
    channels = st.sampled_from(["a", "b", "c", "d", "(null)", "(start)"])
    rows = []
    for path in draw(st.lists(st.lists(channels, min_size=1, max_size=6), min_size=1, max_size=8)):
        conversions = draw(st.integers(0, 50))
        value = draw(st.floats(0, 1000)) if conversions else 0.0
        rows.append((tuple(path), conversions, value, draw(st.integers(0, 50))))
    return pd.DataFrame(rows, columns=PATH_COLUMNS)


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-9, atol=1e-9)


@EVERY_MODEL
@settings(max_examples=60, deadline=None)
@given(paths=journeys())
def test_credits_are_not_negative_and_sum_to_what_was_earned(
    name: str, paths: pd.DataFrame
) -> None:
    credits = model(name)(paths)
    for column in ("conversions", "value"):
        assert (credits[column] >= 0).all()
        assert math.fsum(credits[column]) == pytest.approx(math.fsum(paths[column]), abs=1e-9)
    assert list(credits["channel"]) == sorted({c for path in paths["path"] for c in path})


@EVERY_MODEL
@settings(max_examples=40, deadline=None)
@given(paths=journeys(), seed=st.integers(0, 99), part=st.floats(0.01, 0.99))
def test_credits_do_not_change_with_order_or_splitting_of_rows(
    name: str, paths: pd.DataFrame, seed: int, part: float
) -> None:
    credits = model(name)(paths)
    assert_same(credits, model(name)(paths.sample(frac=1, random_state=seed)))
    amounts = list(PATH_COLUMNS[1:])
    some, rest = paths.copy(), paths.copy()
    some[amounts], rest[amounts] = paths[amounts] * part, paths[amounts] * (1 - part)
    assert_same(credits, model(name)(pd.concat([some, rest])))


@EVERY_MODEL
@settings(max_examples=40, deadline=None)
@given(paths=journeys(), shuffled=st.permutations(["a", "b", "c", "d", "(null)", "(start)"]))
def test_renamed_channels_keep_their_credit(
    name: str, paths: pd.DataFrame, shuffled: list[str]
) -> None:
    new = dict(zip(["a", "b", "c", "d", "(null)", "(start)"], shuffled, strict=True))
    renamed = paths.assign(path=[tuple(new[c] for c in path) for path in paths["path"]])
    expected = model(name)(paths)
    expected["channel"] = expected["channel"].map(new)
    assert_same(
        expected.sort_values("channel", ignore_index=True),
        model(name)(renamed),
    )


def test_rules_on_a_path_that_can_be_checked_by_hand() -> None:
    paths = frame(("a > b > c > b", 10, 100, 3))
    expected = {
        "first_touch": {"a": 10, "b": 0, "c": 0},
        "last_touch": {"a": 0, "b": 10, "c": 0},
        "linear": {"a": 2.5, "b": 5, "c": 2.5},
        "position_based": {"a": 4, "b": 5, "c": 1},
        "time_decay": {"a": 10 / 15, "b": 100 / 15, "c": 40 / 15},
        "shapley": {"a": 10 / 3, "b": 10 / 3, "c": 10 / 3},
    }
    for name, credits in expected.items():
        assert by_channel(MODELS[name](paths)) == pytest.approx(credits), name
        value = {channel: 10 * credit for channel, credit in credits.items()}
        assert by_channel(MODELS[name](paths), "value") == pytest.approx(value), name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a", {"a": 1}),
        ("a > b", {"a": 0.5, "b": 0.5}),
        ("a > b > c", {"a": 0.4, "b": 0.2, "c": 0.4}),
        ("a > b > c > d", {"a": 0.4, "b": 0.1, "c": 0.1, "d": 0.4}),
        ("a > b > a", {"a": 0.8, "b": 0.2}),
    ],
)
def test_u_shape_of_short_and_long_paths(path: str, expected: dict[str, float]) -> None:
    credits = attribution.position_based(frame((path, 1, 0, 0)))
    assert by_channel(credits) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(paths=journeys())
def test_time_decay_lies_between_linear_and_last_touch(paths: pd.DataFrame) -> None:
    assert_same(time_decay(paths, half_life=1e12), attribution.linear(paths))
    assert_same(time_decay(paths, half_life=1e-3), attribution.last_touch(paths))


def test_time_decay_by_age_halves_with_every_half_life() -> None:
    paths = frame(("a > b", 3, 0, 0)).assign(days=[[7.0, 0.0]])
    assert by_channel(time_decay(paths, 7, "days")) == pytest.approx({"a": 1, "b": 2})
    # Only differences of age count, so a very old path still gives its credit away.
    old = paths.assign(days=[[90_007.0, 90_000.0]])
    assert by_channel(time_decay(old, 7, "days")) == pytest.approx({"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ([1.0], "1 ages for 2 touchpoints"),
        (None, "0 ages for 2 touchpoints"),
        ([1.0, np.nan], "null, negative or infinite"),
        ([1.0, -1.0], "null, negative or infinite"),
    ],
)
def test_unfit_ages_are_errors(days: list[float] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        time_decay(frame(("a > b", 1, 0, 0)).assign(days=[days]), 7, "days")


def test_ages_are_not_asked_of_paths_that_did_not_convert() -> None:
    paths = frame(("a > b", 0, 0, 5), ("c", 1, 0, 0)).assign(days=[None, [2.0]])
    assert by_channel(time_decay(paths, 7, "days")) == {"a": 0, "b": 0, "c": 1}


def test_unfit_settings_are_errors() -> None:
    paths = frame(("a", 1, 0, 0))
    with pytest.raises(ValueError, match="half-life must be more than 0"):
        time_decay(paths, half_life=0)
    with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
        attribution.position_based(paths, ends=0.6)
    with pytest.raises(ValueError, match="1 or more, not 0"):
        markov(paths, order=0)
    with pytest.raises(KeyError, match="missing in the paths: age"):
        time_decay(paths, ages="age")
    with pytest.raises(ValueError, match=r"no such model: best \(have: first_touch, "):
        attribution.attribute(paths, ["best"])


def brute_force_shapley(paths: pd.DataFrame) -> dict[str, float]:
    """Mean marginal worth over all orders in which the channels may join."""
    channels = sorted({c for path in paths["path"] for c in path})

    def worth(coalition: set[str]) -> float:
        inside = [set(path) <= coalition for path in paths["path"]]
        return float(paths.loc[inside, "conversions"].sum())

    credit = dict.fromkeys(channels, 0.0)
    orders = list(itertools.permutations(channels))
    for order in orders:
        for i, channel in enumerate(order):
            before = set(order[:i])
            credit[channel] += (worth(before | {channel}) - worth(before)) / len(orders)
    return credit


def test_shapley_in_closed_form_equals_the_mean_over_all_orders_of_joining() -> None:
    paths = frame(
        ("a > b > a", 5, 50, 1), ("c > b > d", 7, 1, 0), ("b", 2, 9, 4), ("d > c", 3, 3, 3)
    )
    assert by_channel(shapley(paths)) == pytest.approx(brute_force_shapley(paths), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(paths=journeys())
def test_repeated_touches_change_no_markov_credit_of_order_1(paths: pd.DataFrame) -> None:
    once = [tuple(c for c, _ in itertools.groupby(path)) for path in paths["path"]]
    assert_same(markov(paths), markov(paths.assign(path=once)))


def test_channel_of_every_journey_has_removal_effect_1_and_a_useless_one_0() -> None:
    paths = frame(("gate > a", 3, 6, 1), ("gate > b", 1, 2, 5), ("gate > idle", 0, 0, 9))
    effects = by_channel(removal_effects(paths))
    assert effects == pytest.approx({"a": 0.75, "b": 0.25, "gate": 1, "idle": 0})


def test_markov_value_follows_what_conversions_after_a_channel_are_worth() -> None:
    paths = frame(("cheap", 1, 1, 0), ("dear", 1, 9, 0))
    assert by_channel(markov(paths)) == pytest.approx({"cheap": 1, "dear": 1})
    assert by_channel(markov(paths), "value") == pytest.approx({"cheap": 1, "dear": 9})


def test_higher_order_remembers_what_order_1_forgets() -> None:
    # Only who came by `a` converts after `x`; a chain of order 1 mixes them up at `x`.
    paths = frame(("a > x", 10, 0, 0), ("b > x", 0, 0, 10))
    assert by_channel(removal_effects(paths, order=1)) == pytest.approx(
        {"a": 0.5, "b": 0.5, "x": 1}
    )
    assert by_channel(removal_effects(paths, order=2)) == pytest.approx({"a": 1, "b": 0, "x": 1})


@EVERY_MODEL
def test_empty_frame_gives_no_credits(name: str) -> None:
    credits = model(name)(pd.DataFrame(columns=PATH_COLUMNS))
    assert list(credits.columns) == ["channel", "conversions", "value"]
    assert credits.empty


@EVERY_MODEL
def test_without_conversions_every_credit_is_0(name: str) -> None:
    credits = model(name)(frame(("a > b", 0, 0, 7), ("c", 0, 0, 0)))
    assert by_channel(credits) == {"a": 0, "b": 0, "c": 0}
    assert by_channel(credits, "value") == {"a": 0, "b": 0, "c": 0}


@EVERY_MODEL
def test_one_channel_earns_everything(name: str) -> None:
    credits = model(name)(frame(("a > a > a", 5, 20, 2), ("a", 1, 2, 30)))
    assert by_channel(credits) == pytest.approx({"a": 6})
    assert by_channel(credits, "value") == pytest.approx({"a": 22})


@EVERY_MODEL
def test_channels_may_be_called_like_states_of_the_chain(name: str) -> None:
    plain = [("a > b > c", 4, 8, 1), ("b > d", 2, 1, 6), ("e", 1, 1, 0)]
    new = dict(zip("abcde", RESERVED, strict=True))
    reserved = [(" > ".join(new[c] for c in path.split(" > ")), *rest) for path, *rest in plain]
    expected = {new[c]: credit for c, credit in by_channel(model(name)(frame(*plain))).items()}
    assert by_channel(model(name)(frame(*reserved))) == pytest.approx(expected)


@EVERY_MODEL
def test_journeys_without_touchpoint_that_did_not_convert_change_no_credit(name: str) -> None:
    rows = [("a > b", 4, 8.0, 1), ("b", 2, 1.0, 6)]
    assert_same(model(name)(frame(*rows)), model(name)(frame(*rows, ("", 0, 0.0, 50))))


@EVERY_MODEL
@pytest.mark.parametrize(
    ("row", "message"),
    [
        (((), 2, 0, 0), "row 1: 2 conversions on a path without touchpoint"),
        ((("a",), np.nan, 0, 0), "row 1: conversions must be 0 or more, not nan"),
        ((("a",), 1, np.nan, 0), "row 1: value must be 0 or more, not nan"),
        ((("a",), 1, 0, np.nan), "row 1: nulls must be 0 or more, not nan"),
        ((("a",), -1, 0, 0), "row 1: conversions must be 0 or more, not -1"),
        ((("a",), np.inf, 0, 0), "row 1: conversions must be 0 or more, not inf"),
        ((("a",), 0, 3, 1), "row 1: a value of 3 but no conversion"),
        ((("a", None), 1, 0, 0), "row 1: a channel must be named by text, not None"),
        ((("a", ""), 1, 0, 0), "row 1: a channel must be named by text, not ''"),
        ((np.nan, 1, 0, 0), "row 1: a path must be a sequence of channel names, not nan"),
        (("a > b", 1, 0, 0), "row 1: a path must be a sequence of channel names, not 'a > b'"),
    ],
)
def test_unfit_rows_are_named(
    name: str, row: tuple[object, float, float, float], message: str
) -> None:
    paths = pd.DataFrame([(("a",), 1, 1, 1), row], columns=PATH_COLUMNS)
    with pytest.raises(ValueError, match=message):
        model(name)(paths)


def test_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="missing in the paths: value, nulls"):
        markov(pd.DataFrame({"path": [], "conversions": []}))


def test_paths_may_be_lists_arrays_or_tuples() -> None:
    given = [("a", "b"), ["a", "b"], np.array(["a", "b"])]
    paths = pd.DataFrame({"path": given, "conversions": 1, "value": 2.0, "nulls": 0})
    assert by_channel(attribution.linear(paths)) == {"a": 1.5, "b": 1.5}


def test_text_is_read_as_a_path() -> None:
    assert parse_path("a > b c>  d ") == ("a", "b c", "d")
    assert parse_path("a | b", separator="|") == ("a", "b")
    assert parse_path("  ") == ()
    for text in ("a > > b", "a >", "> a"):
        with pytest.raises(ValueError, match="touchpoint without name"):
            parse_path(text)
    with pytest.raises(ValueError, match="must be text, not nan"):
        parse_path(float("nan"))  # type: ignore[arg-type]


def test_attribute_puts_the_models_in_one_table() -> None:
    credits = attribution.attribute(frame(("a > b", 2, 4, 1)), ["markov", "linear"])
    assert list(credits.columns) == ["model", "channel", "conversions", "value"]
    assert list(credits["model"]) == ["markov", "markov", "linear", "linear"]
    assert list(attribution.attribute(frame(("a", 1, 1, 0)))["model"]) == list(MODELS)
    assert attribution.attribute(frame(("a", 1, 1, 0)), []).empty
