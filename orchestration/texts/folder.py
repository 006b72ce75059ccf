"""What a deployment says about its texts: a taxonomy, examples of intents, labels of its own."""

import csv
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from ml.text_sentiment import CLASSES
from ml.text_taxonomy import read_taxonomy

LABEL_COLUMNS = ("feedback_ref", "sentiment", "intent")


class LabelError(ValueError):
    """A file of labels that cannot be read; says where and what to do."""


@dataclass(frozen=True)
class TextFolder:
    """What is in the folder of texts.

    Attributes
    ----------
    taxonomy : dict of str to list of str
        Phrases by name, of ``taxonomy.yml``.
    intents : dict of str to list of str
        Examples by intent: those that come with the code and those of ``intents.yml``.
    moods, labelled_intents : dict of str to str
        Of ``labels.csv``, by feedback.
    """

    taxonomy: dict[str, list[str]] = field(default_factory=dict)
    intents: dict[str, list[str]] = field(default_factory=dict)
    moods: dict[str, str] = field(default_factory=dict)
    labelled_intents: dict[str, str] = field(default_factory=dict)


def read_folder(folder: Path) -> TextFolder:
    """Read the folder; what is missing there counts as empty.

    Raises
    ------
    TaxonomyError, LabelError
        A file is not of its form.
    """
    bundled = files("ml").joinpath("text_ticket_examples.yml").read_text(encoding="utf-8")
    intents = read_taxonomy(bundled, "ml/text_ticket_examples.yml")
    for name, examples in _phrases(folder / "intents.yml").items():
        intents[name] = [*intents.get(name, []), *examples]
    moods, asked = _labels(folder / "labels.csv")
    return TextFolder(_phrases(folder / "taxonomy.yml"), intents, moods, asked)


def _phrases(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    return read_taxonomy(path.read_text(encoding="utf-8"), str(path))


def _labels(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    moods: dict[str, str] = {}
    intents: dict[str, str] = {}
    if not path.exists():
        return moods, intents
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        strange = sorted(set(rows.fieldnames or ()) - set(LABEL_COLUMNS))
        if strange or "feedback_ref" not in (rows.fieldnames or ()):
            raise LabelError(
                f"{path}: the columns are {', '.join(LABEL_COLUMNS)} "
                f"(has: {', '.join(rows.fieldnames or ('none',))})"
            )
        for line, row in enumerate(rows, start=2):
            mood, intent = row.get("sentiment") or "", row.get("intent") or ""
            if mood and mood not in CLASSES:
                raise LabelError(
                    f"{path}, line {line}: no sentiment {mood!r}; one of {', '.join(CLASSES)}"
                )
            if mood:
                moods[row["feedback_ref"]] = mood
            if intent:
                intents[row["feedback_ref"]] = intent
    return moods, intents
