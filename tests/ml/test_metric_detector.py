"""Laws of the detector that watches one metric."""

from __future__ import annotations

import numpy as np
import pytest

from ml.anomalies_metric import MetricDetector, MetricSettings, Reading

DAY = 48
HOURLY = MetricSettings(day_rows=DAY, unit=1)
Values = np.ndarray[tuple[int], np.dtype[np.float64]]


def orders(days: int, seed: int = 3, rate: float = 60) -> Values:
    """Counts with a daily shape, quiet on every seventh and sixth day."""
    at = np.arange(days * DAY)
    shape = 1 + 0.8 * np.sin(2 * np.pi * at / DAY) - 0.4 * (at // DAY % 7 >= 5)
    return np.random.default_rng(seed).poisson(rate * shape.clip(0.05)).astype(np.float64)


def read(values: Values, settings: MetricSettings = HOURLY) -> list[Reading]:
    detector = MetricDetector(settings)
    return [detector.update(value) for value in values.tolist()]


def test_an_ordinary_metric_is_quiet() -> None:
    alerts = [reading for reading in read(orders(60)) if reading.told > 1.5]
    assert alerts == []


@pytest.mark.parametrize("factor", [0.0, 4.0])
def test_an_hour_out_of_the_ordinary_is_told_at_once(factor: float) -> None:
    values = orders(40)
    noon = 35 * DAY + DAY // 4
    values[noon] *= factor
    reading = read(values)[noon]
    assert reading.told > 1.25
    assert (reading.value > reading.expected) == (factor > 1)


def test_the_usual_height_at_an_unusual_time_is_told() -> None:
    values = orders(40)
    night = 35 * DAY + 3 * DAY // 4
    values[night : night + 4] = 110
    told = [reading.told for reading in read(values)[night : night + 4]]
    assert max(told) > 1.5
    assert read(values)[night].view == "season"


def test_a_lasting_shift_is_one_alert_and_then_the_habit() -> None:
    values = orders(60)
    values[40 * DAY :] *= 3
    readings = read(values)
    told = [row for row, reading in enumerate(readings) if reading.told > 1.25]
    assert told
    assert all(40 * DAY <= row <= 41 * DAY for row in told)


def test_rows_after_a_value_do_not_matter() -> None:
    values = orders(30)
    assert read(values)[: 20 * DAY] == read(values[: 20 * DAY])


def test_a_detector_goes_on_from_its_memory_as_if_never_stopped() -> None:
    values = orders(30)
    parts, memory = [], None
    for start in range(0, len(values), 100):
        detector = MetricDetector(HOURLY, values[:start][-HOURLY.kept_rows :].tolist(), memory)
        parts += [detector.update(value) for value in values[start : start + 100].tolist()]
        memory = detector.memory
    assert parts == read(values)


@pytest.mark.parametrize("scale", [0.001, 1_000.0])
def test_the_unit_of_the_values_does_not_matter(scale: float) -> None:
    settings = MetricSettings(day_rows=DAY)
    values = orders(20)
    plain = [reading.score for reading in read(values, settings)]
    scaled = [reading.score for reading in read(values * scale, settings)]
    assert scaled == pytest.approx(plain)


def test_few_happenings_are_no_record() -> None:
    values = np.zeros(3_000)
    values[::17] = 1
    values[2_500] = 3
    assert max(reading.told for reading in read(values)) <= 1
    without_floor = read(values, MetricSettings(day_rows=DAY))
    assert max(reading.told for reading in without_floor) > 1


def test_a_metric_that_never_moved_and_then_moves_is_told() -> None:
    values = np.full(1_000, 5.0)
    values[900] = 50
    readings = read(values, MetricSettings(day_rows=DAY))
    assert readings[900].told == 10
    assert all(reading.told == 0 for reading in readings[:900])


def test_after_an_alert_only_something_greater_is_told() -> None:
    settings = MetricSettings(day_rows=1)
    values = np.random.default_rng(1).normal(0, 1, 1_500)
    values[1_000], values[1_050], values[1_100] = 60, 50, 600
    readings = read(values, settings)
    assert readings[1_000].told > 2
    assert readings[1_050].told == 0
    assert readings[1_100].told > readings[1_000].told
