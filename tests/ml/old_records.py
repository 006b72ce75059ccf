"""Records of models as older versions of the code wrote them."""

from __future__ import annotations

import json
from pathlib import Path

from ml.trained import TrainedModel


def in_format_1(trained: TrainedModel, folder: Path) -> None:
    """Keep a probability as before value models had intervals: model and evidence in one file."""
    trained.save(folder)
    (folder / "evidence.json").unlink()
    record = json.loads(trained.to_json())
    for name in ("trees", "judged_trees", "spread"):
        del record[name]
    (folder / "model.json").write_text(json.dumps(record | {"format": 1}))
