"""The commands that people use on versions."""

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from tests.orchestration.model_room import ModelRoom, market_frame


@pytest.mark.slow
def test_versions_are_listed_rolled_back_and_trained_again(room: ModelRoom) -> None:
    runner = CliRunner(env={"COLUMNS": "400"})
    assert "no model yet" in runner.invoke(app, ["models"]).stdout
    frame = market_frame()
    room.hold(frame, dates=8)
    room.decide(room.challenger())
    room.hold(frame)
    assert room.decide(room.challenger()).promoted

    listed = runner.invoke(app, ["models"])
    assert listed.exit_code == 0, listed.output
    newest, oldest = (line for line in listed.stdout.splitlines() if "  churn:" in line)
    assert "churn:2" in newest
    assert "champion" in newest
    assert "2024-04-22" in newest
    assert "ROC AUC 0." in newest
    assert "churn:2 promoted: " in listed.stdout
    assert "champion" not in oldest

    back = runner.invoke(app, ["models", "rollback", "churn", "--reason", "odd scores"])
    assert back.exit_code == 0, back.output
    assert "churn:1 scores from the next batch on (was churn:2)" in back.stdout
    assert room.champion().version.number == 1
    assert room.registry.reigns("churn")[-1].reason.endswith(": odd scores")

    again = runner.invoke(app, ["models", "retrain", "churn", "--version", "1"])
    assert again.exit_code == 0, again.output
    assert "identical, every byte of the model and every score" in again.stdout

    for arguments, words in (
        (["rollback", "churn"], "no earlier champion of churn is on record"),
        (["rollback", "churn", "--to", "7"], "churn has no version 7 (there are: 1, 2)"),
        (["retrain", "churn", "--version", "7"], "churn has no version 7"),
        (["retrain", "segments", "--version", "1"], "segments has no version 1"),
        (["rollback", "nonsense"], "no model of 'nonsense' has been trained yet"),
    ):
        refused = runner.invoke(app, ["models", *arguments])
        assert refused.exit_code == 1
        assert words in refused.output
    assert room.champion().version.number == 1
