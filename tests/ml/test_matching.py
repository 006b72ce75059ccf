"""One person is found across slips of the pen; two people never become one because of one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.matching import COLUMNS, match_profiles
from ml.matching_groups import in_one_group

DATA = Path(__file__).parents[3] / "shared/data/identity"
Pairs = set[tuple[str, str]]
SYLLABLES = ("an", "be", "co", "da", "el", "fi", "go", "ha", "is", "jo", "ka", "li", "mo", "na")


def people(count: int, seed: int = 1) -> pd.DataFrame:
    """Profiles of different people in different homes."""
    draw = np.random.default_rng(seed)

    def words(size: int, syllables: int) -> list[str]:
        return ["".join(draw.choice(SYLLABLES, syllables)).title() for _ in range(size)]

    given, surnames, streets = words(200, 3), words(600, 4), words(300, 4)
    return pd.DataFrame(
        {
            "customer_key": [f"p{number:05}" for number in range(count)],
            "given_name": draw.choice(given, count),
            "surname": draw.choice(surnames, count),
            "birth_date": [
                f"{year}-{month:02}-{day:02}"
                for year, month, day in zip(
                    draw.integers(1940, 2005, count),
                    draw.integers(1, 13, count),
                    draw.integers(1, 29, count),
                    strict=True,
                )
            ],
            "street": [
                f"{number} {name} Street"
                for number, name in zip(
                    draw.integers(1, 300, count), draw.choice(streets, count), strict=True
                )
            ],
            "city": draw.choice(words(30, 2), count),
            "postcode": draw.integers(10_000, 99_999, count).astype(str),
            "email": [f"box{number}@example.org" for number in draw.permutation(count)],
        }
    )


def with_slips(profiles: pd.DataFrame, count: int) -> pd.DataFrame:
    """The profiles, and second ones of the first ``count`` people with one slip each."""
    again = profiles.head(count).copy()
    again["customer_key"] = again["customer_key"].str.replace("p", "q")
    again["email"] = None
    slips = np.arange(count) % 4
    name = again["given_name"]
    again["given_name"] = name.where(
        slips != 0, name.str[0] + name.str[2] + name.str[1] + name.str[3:]
    )
    again["birth_date"] = again["birth_date"].where(slips != 1)
    again["postcode"] = again["postcode"].where(slips != 2, "10000")
    swapped = slips == 3
    again.loc[swapped, ["given_name", "surname"]] = again.loc[
        swapped, ["surname", "given_name"]
    ].to_numpy()
    return pd.concat([profiles, again], ignore_index=True)


def same_pairs(result: pd.DataFrame) -> Pairs:
    kept = result[result["decision"] == "same"]
    return set(zip(kept["left_key"], kept["right_key"], strict=True))


def closure(pairs: Pairs) -> Pairs:
    group: dict[str, set[str]] = {}
    for left, right in sorted(pairs):
        joined = group.get(left, {left}) | group.get(right, {right})
        group.update(dict.fromkeys(joined, joined))
    return {(a, b) for members in group.values() for a in members for b in members if a < b}


def figures(found: Pairs, truth: Pairs) -> tuple[float, float]:
    """Precision and F1."""
    hits = len(found & truth)
    return hits / len(found), 2 * hits / (len(found) + len(truth))


def true_pairs(keys: pd.Series, person: pd.Series) -> Pairs:
    rows = pd.DataFrame({"key": keys.astype(str), "person": person})
    both = rows.merge(rows, on="person")
    both = both[both["key_x"] < both["key_y"]]
    return set(zip(both["key_x"], both["key_y"], strict=True))


@pytest.fixture(scope="module")
def slipped() -> pd.DataFrame:
    return with_slips(people(600), 120)


@pytest.fixture(scope="module")
def found(slipped: pd.DataFrame) -> pd.DataFrame:
    return match_profiles(slipped, seed=7)


def test_second_profiles_are_found_and_nobody_else(found: pd.DataFrame) -> None:
    truth = {(f"p{n:05}", f"q{n:05}") for n in range(120)}
    assert same_pairs(found) <= truth
    assert len(same_pairs(found)) > 110
    assert list(found.columns) == list(COLUMNS)
    assert (found["left_key"] < found["right_key"]).all()
    assert found["probability"].between(0.6, 1).all()
    states = found.attrs["parameters"]
    assert states["email"].startswith("documented")  # no second profile has one to learn from
    assert {state for name, state in states.items() if name != "email"} == {"learnt"}


@pytest.mark.slow
def test_the_order_of_the_rows_changes_nothing(slipped: pd.DataFrame, found: pd.DataFrame) -> None:
    shuffled = slipped.sample(frac=1, random_state=3)[slipped.columns[::-1]]
    pd.testing.assert_frame_equal(match_profiles(shuffled, seed=7), found)


def test_a_whole_name_is_split(slipped: pd.DataFrame, found: pd.DataFrame) -> None:
    whole = slipped.assign(full_name=slipped["given_name"] + " " + slipped["surname"])
    result = match_profiles(whole.drop(columns=["given_name", "surname"]), seed=7)
    assert same_pairs(result) == same_pairs(found)


@pytest.mark.parametrize(
    "missing",
    [
        ["birth_date", "email"],
        pytest.param(["given_name"], marks=pytest.mark.slow),
        pytest.param(["street", "postcode"], marks=pytest.mark.slow),
    ],
)
def test_null_and_absent_columns_are_the_same(slipped: pd.DataFrame, missing: list[str]) -> None:
    absent = match_profiles(slipped.drop(columns=missing), seed=7)
    null = match_profiles(slipped.assign(**dict.fromkeys(missing)), seed=7)
    pd.testing.assert_frame_equal(absent, null)
    truth = {(f"p{n:05}", f"q{n:05}") for n in range(120)}
    assert same_pairs(absent) <= truth


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_profiles_give_no_pair(rows: int) -> None:
    result = match_profiles(people(5).head(rows), seed=7)
    assert result.empty
    assert list(result.columns) == list(COLUMNS)


def test_nothing_but_nulls_gives_no_pair() -> None:
    empty = pd.DataFrame({"customer_key": ["a", "b", "c"], "given_name": None, "birth_date": None})
    assert match_profiles(empty, seed=7).empty


def test_two_rows_are_enough_by_documented_parameters() -> None:
    pair = people(1).loc[[0, 0]].assign(customer_key=["a", "b"])
    result = match_profiles(pair, seed=7)
    assert same_pairs(result) == {("a", "b")}
    assert all("documented" in state for state in result.attrs["parameters"].values())
    assert match_profiles(people(2), seed=7).empty


@pytest.mark.slow
def test_thousands_of_one_name_are_not_one_person() -> None:
    crowd = people(4_000).assign(given_name="Zora", surname="Quill")
    result = match_profiles(crowd, seed=7)
    assert len(same_pairs(result)) <= 2  # by chance also the birth date, city and house are alike
    assert len(result) < 100


@pytest.mark.slow
def test_a_household_is_not_one_person() -> None:
    couples = people(400, seed=2)
    partners = people(400, seed=3)[["given_name", "birth_date", "email"]]
    partners = couples.assign(**partners, customer_key="r" + couples["customer_key"])
    profiles = pd.concat([with_slips(couples, 60), partners], ignore_index=True)
    wrong = {pair for pair in same_pairs(match_profiles(profiles, seed=7)) if "r" in "".join(pair)}
    assert len(wrong) <= 2


def test_names_in_any_script_match() -> None:
    names = pd.DataFrame(
        {
            "customer_key": ["a", "b", "c", "d", "e", "f", "g"],
            "full_name": [
                "Zoë Ångström",
                "zoe angstrom",
                "王 小明",
                "王 小明",
                "شارع البحر",
                "\0🦈\ud800",
                "'; --",
            ],
            "birth_date": ["1980-02-03"] * 2 + ["1990-05-06"] * 2 + ["1970-01-01"] * 3,
            "street": ["Rue É 5"] * 2 + ["北京路 7"] * 2 + [None] * 3,
            "city": ["Liège"] * 2 + ["北京"] * 2 + [None] * 3,
            "postcode": [4000, 4000, None, None, None, None, None],
        }
    )
    assert same_pairs(match_profiles(names, seed=7)) == {("a", "b"), ("c", "d")}


def test_names_alone_never_merge() -> None:
    alike = people(50)[["customer_key", "given_name", "surname"]]
    again = alike.assign(customer_key="q" + alike["customer_key"])
    result = match_profiles(pd.concat([alike, again], ignore_index=True), seed=7)
    assert same_pairs(result) == set()


def test_profiles_need_a_key_of_their_own() -> None:
    with pytest.raises(ValueError, match="customer_key"):
        match_profiles(people(3).assign(customer_key="a"), seed=7)
    with pytest.raises(ValueError, match="review <= same"):
        match_profiles(people(3), seed=7, same=0.5, review=0.6)


def test_a_chain_does_not_join_but_a_triangle_does() -> None:
    chain = pd.DataFrame(
        {"left": [0, 1, 2], "right": [1, 2, 3], "weight": [9.0, 8.0, 7.0], "probability": 0.99}
    )
    assert list(in_one_group(chain, 0.9)) == [True, True, False]
    across = pd.DataFrame({"left": [0], "right": [3], "weight": [0.6], "probability": [0.6]})
    assert in_one_group(pd.concat([chain, across], ignore_index=True), 0.9).all()


@pytest.mark.skipif(not DATA.exists(), reason="needs the shared identity data")
@pytest.mark.parametrize(
    "number",
    [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)],
)
def test_febrl_people_are_told_apart(number: int) -> None:
    rows = pd.read_parquet(DATA / f"febrl_dataset{number}.parquet")
    street = rows[["street_number", "address_1", "address_2"]].fillna("").agg(" ".join, axis=1)
    profiles = rows.rename(columns={"date_of_birth": "birth_date", "suburb": "city"})
    result = match_profiles(
        profiles.assign(street=street), seed=7, key="rec_id", identifiers=["soc_sec_id"]
    )
    truth = true_pairs(rows["rec_id"], rows["rec_id"].str.split("-").str[1])
    for pairs in (same_pairs(result), closure(same_pairs(result))):
        precision, f1 = figures(pairs, truth)
        assert precision >= 0.995
        assert f1 >= 0.98
