"""The benchmark's score: cases reckoned by hand, and a published result recomputed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import erfc

from ml import nab
from ml.anomalies_metric import MetricDetector, MetricSettings
from tests.ml.nab_corpus import DATA, Series, nab_corpus

with_corpus = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}")

ROWS = 1_000
WINDOW = (500, 599)


def one_series(*detections: int) -> nab.Labelled:
    scores = np.zeros(ROWS)
    scores[list(detections)] = 1.0
    return nab.Labelled(scores, (WINDOW,))


def test_a_detection_at_the_start_of_a_window_earns_one() -> None:
    assert nab.points(one_series(500), 0.5) == pytest.approx(1.0)


def test_half_way_through_a_window_it_earns_a_little_less() -> None:
    halfway = (2 / (1 + np.exp(5 * -0.5)) - 1) / (2 / (1 + np.exp(-5)) - 1)
    assert nab.points(one_series(550), 0.5) == pytest.approx(halfway)


def test_only_the_first_detection_in_a_window_counts() -> None:
    assert nab.points(one_series(550, 560, 599), 0.5) == nab.points(one_series(550), 0.5)


def test_a_missed_window_costs_one() -> None:
    assert nab.points(one_series(), 0.5) == -1


def test_a_false_alarm_costs_a_ninth_and_less_just_behind_a_window() -> None:
    assert nab.points(one_series(300), 0.5) == pytest.approx(-1.11)
    behind = nab.points(one_series(604), 0.5) + 1
    assert behind == pytest.approx(0.11 * (2 / (1 + np.exp(5 * 5 / 99)) - 1))
    assert -0.11 < behind < 0


def test_probation_is_not_judged() -> None:
    assert nab.points(one_series(0, 149), 0.5) == -1
    assert nab.points(one_series(150), 0.5) == pytest.approx(-1.11)
    assert nab.probation_rows(20_000) == 750


def test_nothing_and_everything_at_once_are_0_and_100() -> None:
    silent = {"a": nab.Labelled(np.zeros(ROWS), (WINDOW,))}
    perfect = nab.nab_score({"a": one_series(500)})
    assert perfect.score == pytest.approx(100)
    assert perfect.points == {"a": pytest.approx(1)}
    assert nab.normalised(-1, 1) == 0
    # any detection of a silent detector is one of all rows at once, which is worse than none
    assert nab.nab_score(silent).score == pytest.approx(0)
    assert nab.nab_score(silent).threshold == nab.NEVER


def test_the_threshold_is_the_best_of_all() -> None:
    generator = np.random.default_rng(5)
    corpus = {
        name: nab.Labelled(generator.random(400).round(2), ((120, 160), (300, 330)))
        for name in "abc"
    }
    best = nab.nab_score(corpus)
    by_trying = {
        threshold: sum(nab.points(series, threshold) for series in corpus.values())
        for threshold in np.linspace(0, 1.01, 102).round(2)
    }
    assert sum(best.points.values()) == pytest.approx(max(by_trying.values()))
    assert sum(best.points.values()) == pytest.approx(by_trying[round(best.threshold, 2)])


def test_a_corpus_without_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to find"):
        nab.nab_score({"a": nab.Labelled(np.zeros(ROWS), ())})


def test_windows_are_runs_of_labels() -> None:
    flags = np.array([True, True, False, True, False, False, True])
    assert nab.windows_of(flags) == ((0, 1), (3, 3), (6, 6))


def sliding_gaussian(values: np.ndarray, width: int = 1_000) -> np.ndarray:
    """The benchmark's windowed Gaussian: tail probability under the last 1,000 values."""
    past = pd.Series(values).rolling(width, min_periods=1)
    mean = past.mean().shift().to_numpy()
    deviation = past.std(ddof=0).shift().to_numpy()
    z = np.abs(values - mean) / np.where(deviation > 0, deviation, 1e-6)
    return np.nan_to_num(1 - 0.5 * erfc(z / 1.4142))


# numenta/NAB, results/windowedGaussian/windowedGaussian_standard_scores.csv, at its threshold of 1
PUBLISHED = {
    "artificialNoAnomaly/art_flatline.csv": 0.0,
    "artificialWithAnomaly/art_load_balancer_spikes.csv": -0.692444609523,
    "realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv": -1.26667875935,
    "realAWSCloudwatch/ec2_cpu_utilization_825cc2.csv": 0.956537840284,
    "realAWSCloudwatch/ec2_cpu_utilization_c6585a.csv": -1.32,
    "realAWSCloudwatch/iio_us-east-1_i-a2eb1cd9_NetworkIn.csv": -2.0,
    "realKnownCause/ec2_request_latency_system_failure.csv": 2.02150685678,
    "realKnownCause/nyc_taxi.csv": -5.0,
}


@with_corpus
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_detector_gets_its_published_points(name: str) -> None:
    series = nab_corpus()[name]
    labelled = nab.Labelled(sliding_gaussian(series.values), series.windows)
    assert nab.points(labelled, 1 - 1.5e-13) == pytest.approx(PUBLISHED[name], abs=1e-6)


def told(series: Series) -> np.ndarray:
    detector = MetricDetector(MetricSettings(series.day_rows))
    return np.array([detector.update(value).told for value in series.values.tolist()])


@with_corpus
def test_the_metric_detector_stands_among_the_published_ones() -> None:
    corpus = nab_corpus()
    found = nab.nab_score(
        {name: nab.Labelled(told(series), series.windows) for name, series in corpus.items()}
    )
    assert len(corpus) == 35
    assert found.score == pytest.approx(63.35, abs=0.5)
    assert 1 < found.threshold < 1.25
