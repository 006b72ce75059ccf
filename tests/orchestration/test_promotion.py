"""A challenger scores only if it earns it; a refusal leaves champion and scoring as they were."""

import dagster as dg
import pytest

from ml.churn import CHURN
from ml.trained import TrainedModel
from orchestration.defs.churn.assets import churn_model
from orchestration.defs.scores.assets import customer_scores
from orchestration.defs.value.assets import value_model
from orchestration.promotion import decide
from orchestration.settings import Settings, settings
from tests.ml.known_market import DATES
from tests.orchestration.model_room import ModelRoom, market_frame


@pytest.mark.slow
def test_rivals_are_compared_on_a_cutoff_whose_labels_neither_knows(room: ModelRoom) -> None:
    """The champion learnt on all dates but the newest, the challenger on all of them."""
    frame = market_frame()
    slow = room.values.model_copy(update={"promotion_min_rows_per_second": 1e12})
    room.hold(frame, dates=8)
    first = room.challenger()
    assert room.registry.champion("churn") is None, "training alone promotes nobody"
    alone = decide(CHURN, first, None, room.lake, slow)
    assert alone.promoted, "a first model is held against the simplest baseline alone"
    assert ("scores within its time (reported only)", "no") in {
        row[:2] for row in alone.table().rows
    }
    assert room.decide(first).promoted
    assert room.registry.challenger("churn") is None
    room.hold(frame, dates=9)
    challenger, champion = room.challenger(), room.champion()
    assert champion.version.number == 1

    refused = decide(CHURN, challenger, champion, room.lake, slow)
    assert not refused.promoted
    assert "churn:2 refused, churn:1 stays in force" in str(refused)
    assert "customers a second of one core; asked: 1,000,000,000,000" in str(refused)

    strict = room.values.model_copy(update={"promotion_max_ece": 1e-6})
    judged = decide(CHURN, challenger, champion, room.lake, strict)
    assert judged.comparison is not None
    ours = TrainedModel.load(challenger.folder).metric("ece")
    is_closer = ours <= judged.comparison.metric("ece")
    assert judged.promoted == is_closer, "a champion that is further off is not kept for it"

    decision = room.decide(challenger)
    assert decision.promoted, str(decision)
    assert "judged twin, learnt from labels until 2024-04-08" in str(decision)
    assert decision.comparison is not None
    assert decision.comparison.metric("roc_auc") > 0.6
    assert room.champion().version.number == 2
    tags = room.registry.version("churn", 2).tags
    assert (tags["promotion"], tags["reason"]) == ("promoted", str(decision))

    # a model of the past does not replace one that knows more
    past = decide(CHURN, champion.version, room.champion(), room.lake, room.values)
    assert not past.promoted
    assert "no fair comparison with churn:2: the champion has learnt from labels" in str(past)


def test_a_worse_challenger_is_refused_in_words_and_stays_challenger(room: ModelRoom) -> None:
    room.hold(market_frame(300))
    room.decide(room.challenger())
    good = room.champion()
    decision = room.decide(room.challenger(["days_since_last_order"]))
    assert not decision.promoted
    assert "churn:2 refused, churn:1 stays in force: worse than churn:1 on ROC AUC" in str(decision)
    assert room.champion().version.number == 1
    challenger = room.registry.challenger("churn")
    assert challenger is not None
    assert challenger.number == 2
    assert challenger.tags["promotion"] == "refused"
    # and the better one wins against the worse
    room.registry.promote(challenger)
    assert decide(CHURN, good.version, room.champion(), room.lake, room.values).promoted


def check_of(result: dg.ExecuteInProcessResult, asset: str) -> dg.AssetCheckEvaluation:
    (check,) = (
        check
        for check in result.get_asset_check_evaluations()
        if check.check_name == "challenger_earns_promotion"
        and check.asset_key == dg.AssetKey(asset)
    )
    return check


def materialize(room: ModelRoom, *assets: dg.AssetsDefinition) -> dg.ExecuteInProcessResult:
    settings.cache_clear()
    return dg.materialize(assets, resources={"lake": room.lake}, raise_on_error=False)


@pytest.mark.slow
def test_a_refusal_does_not_stop_the_scoring_of_its_run(
    room: ModelRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = market_frame()
    room.hold(frame, dates=8)
    first = materialize(room, churn_model, value_model, customer_scores)
    assert first.success
    assert all(check_of(first, f"{task}_model").passed for task in ("churn", "value"))
    assert set(room.scores()["model_versions"]) == {"churn:1 value:1"}

    room.hold(frame, dates=9)
    monkeypatch.setenv("SHOAL_PROMOTION_MIN_ROWS_PER_SECOND", "1e12")
    second = materialize(room, churn_model, customer_scores)
    assert second.success
    check = check_of(second, "churn_model")
    assert not check.passed
    assert check.blocking
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert "churn:2 refused, churn:1 stays in force" in str(check.description)
    scores = room.scores()
    assert set(scores["model_versions"]) == {"churn:1 value:1"}
    assert len(scores) == 160
    assert set(scores["as_of"]) == {DATES[8]}, "the champion scored the newer features"


def test_a_champion_that_cannot_score_stops_its_run_and_the_last_scores_stay(
    room: ModelRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one refusal that blocks: nobody could score the task."""
    frame = market_frame()
    room.hold(frame)
    assert materialize(room, churn_model, customer_scores).success
    before = room.scores()
    room.hold(frame.drop(columns="noise").groupby("as_of").head(40))  # too few to learn from
    result = materialize(room, churn_model, customer_scores)
    assert not result.success
    check = check_of(result, "churn_model")
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert "churn was not trained, churn:1 stays in force" in str(check.description)
    assert "churn:1 cannot score: noise" in str(check.description)
    assert result.get_step_skipped_events() or not result.asset_materializations_for_node(
        "customer_scores"
    )
    assert room.scores().equals(before)

    # a challenger without the lost feature takes over
    room.hold(frame.drop(columns="noise"))
    decision = room.decide(room.challenger())
    assert decision.promoted
    assert "no fair comparison with churn:1: features of the champion no longer exist: noise" in (
        str(decision)
    )
    assert "noise" not in room.champion().model.features


def test_the_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOAL_PROMOTION_MAX_ECE", "0.2")
    assert Settings(_env_file=None).promotion_max_ece == 0.2  # type: ignore[call-arg]
