"""Parameters are kept in the record of a model and change what is fitted."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from known_market import HORIZON

from ml.churn import CHURN
from ml.classifier import train
from ml.parameters import DEFAULTS, Learner, Parameters
from ml.trained import TrainedModel
from ml.trees import settings


def test_record_holds_the_parameters_that_made_the_model(frame: pd.DataFrame) -> None:
    chosen = replace(DEFAULTS, num_leaves=3, tree_share=0.5)
    model = train(frame, CHURN, horizon_days=HORIZON, parameters=chosen, num_threads=1)
    assert model.parameters == chosen
    assert TrainedModel.from_json(model.to_json()).parameters == chosen
    trees = model.model.booster.dump_model()["tree_info"]
    assert max(tree["num_leaves"] for tree in trees) == 3
    assert model.model.tree_share == 0.5


def test_a_record_from_before_there_were_parameters_has_the_defaults(trained: TrainedModel) -> None:
    record = json.loads(trained.to_json())
    del record["parameters"]
    old = TrainedModel.from_json(json.dumps(record))
    assert old.parameters == DEFAULTS
    assert old.model.trees == trained.model.trees


def test_unknown_parameters_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="does not know: depth; use the code that wrote them"):
        Parameters.from_dict({"num_leaves": 7, "depth": 3})


@pytest.mark.parametrize(
    ("rows", "leaf", "l2"), [(50, 10, 1.0), (2_937, 29, 7.3425), (1_000_000, 200, 50.0)]
)
def test_size_of_leaves_follows_the_rows_within_bounds(rows: int, leaf: int, l2: float) -> None:
    found = settings(rows, "binary", Learner(DEFAULTS, seed=0, num_threads=1))
    assert (found["min_data_in_leaf"], found["lambda_l2"]) == (leaf, l2)
