"""How well texts are understood, and how fast: ``python -m tests.benchmarks.text [folder]``.

Prints a table; the folder holds the public texts (default: ``../shared/data/text`` beside the
project). Needs the extra ``text``.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from ml.text_bundled import bundled_model
from ml.text_cleaning import clean_all
from ml.text_embeddings import Embedder, Vectors
from ml.text_intents import train_intents
from ml.text_lexicon import vader
from ml.text_pii import find, mask
from ml.text_sentiment import CLASSES, LexiconJudge
from ml.text_sentiment_training import figures_of, train_sentiment
from tests.benchmarks.figures import Figure, load, print_table
from tests.ml.private_texts import NUMBERS_OF_THINGS, planted

DATA = Path(__file__).parents[3] / "shared/data/text"
TEST_SHARE = 0.2
FEW, DRAWS = 10, 3


def measure(data: Path, models: Path) -> list[Figure]:
    """Measure mood, intents, masking, throughput and memory."""
    figures = [Figure("text.load_before", load(), "processes")]
    embedder = Embedder(models, threads=2)
    figures += throughput(embedder, data)
    figures += airline(embedder, data)
    figures += rated(embedder, data)
    figures += banking(embedder, data)
    figures += masking(data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*figures, Figure("text.memory", peak, "MB", 2 * 1024.0)]


def read(data: Path, name: str) -> pd.DataFrame:
    """A data set with its texts cleaned."""
    frame = pd.read_parquet(data / f"{name}.parquet")
    return frame.assign(clean=[found.text for found in clean_all(frame["text"])])


def throughput(embedder: Embedder, data: Path) -> list[Figure]:
    """Texts a second for questions of 12 words and tweets of 18, and what one pass more costs."""
    found = []
    for name in ("banking77_train", "airline_tweets"):
        texts = list(read(data, name)["clean"][:3_000])
        wall, cpu = time.perf_counter(), time.process_time()
        embedder.embed(texts)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found += [
            Figure(f"text.embeddings.{name}", len(texts) / wall, "texts/s"),
            Figure(f"text.embeddings.{name}.per_core", len(texts) / cpu, "texts/s of a core"),
        ]
    known = embedder.embed_new(texts, {})
    start = time.perf_counter()
    assert embedder.embed_new(texts, known) == {}
    return [*found, Figure("text.embeddings.nothing_new", time.perf_counter() - start, "s", 5.0)]


def airline(embedder: Embedder, data: Path) -> list[Figure]:
    """Mood of the newest fifth of the airline tweets, learnt from the older ones."""
    frame = read(data, "airline_tweets").sort_values("tweet_created", kind="stable")
    texts, labels = list(frame["clean"]), list(frame["airline_sentiment"])
    cut = int(len(texts) * (1 - TEST_SHARE))
    vectors = embedder.embed(texts)
    trained = train_sentiment(
        texts[:cut], vectors[:cut], labels[:cut],
        weights=frame["airline_sentiment_confidence"].to_numpy()[:cut],
    )  # fmt: skip
    truth = np.array([CLASSES.index(label) for label in labels[cut:]])
    judges = {"trained": trained.model, "bundled": bundled_model(), "lexicon": LexiconJudge()}
    found = []
    for name, judge in judges.items():
        row = figures_of(name, judge.probabilities(texts[cut:], vectors[cut:]), truth)
        found += [
            Figure(f"text.airline.{name}.{measure}", float(row[measure]), "")
            for measure in ("accuracy", "macro_f1", "ece")
        ]
    return found


def rated(embedder: Embedder, data: Path) -> list[Figure]:
    """Correlation of the bundled model's score, and VADER's, with the mean of human ratings."""
    found = []
    for name in ("rated_tweets", "rated_amazon_snippets"):
        frame = read(data, name)
        texts = list(frame["clean"])
        shares = bundled_model().probabilities(texts, embedder.embed(texts))
        for judge, score in (("bundled", shares[:, 2] - shares[:, 0]), ("vader", vader(texts))):
            r = float(np.corrcoef(score, frame["mean_sentiment"])[0, 1])
            found.append(Figure(f"text.{name}.{judge}.pearson", r, ""))
    return found


def banking(embedder: Embedder, data: Path) -> list[Figure]:
    """Accuracy on a fifth of the questions, from ten examples of each intent and from the rest."""
    frame = read(data, "banking77_train").sample(frac=1, random_state=0, ignore_index=True)
    vectors = embedder.embed(list(frame["clean"]))
    place = frame.groupby("category").cumcount()
    is_test = place < TEST_SHARE * frame.groupby("category")["text"].transform("size")
    test, rest = np.flatnonzero(is_test), np.flatnonzero(~is_test)
    few = [_accuracy(frame, vectors, _drawn(frame.iloc[rest], seed), test) for seed in range(DRAWS)]
    return [
        Figure("text.banking77.ten_each", float(np.mean(few)), "accuracy"),
        Figure("text.banking77.all", _accuracy(frame, vectors, rest, test), "accuracy"),
    ]


def _drawn(frame: pd.DataFrame, seed: int) -> np.ndarray:
    drawn = frame.groupby("category").sample(FEW, random_state=seed)
    return drawn.index.to_numpy()


def _accuracy(frame: pd.DataFrame, vectors: Vectors, known: np.ndarray, test: np.ndarray) -> float:
    texts, labels = frame["clean"].to_numpy(), frame["category"].to_numpy()
    model = train_intents(list(texts[known]), vectors[known], list(labels[known]))
    return float((model.predict(list(texts[test]), vectors[test])["intent"] == labels[test]).mean())


def masking(data: Path, count: int = 2_000) -> list[Figure]:
    """Recall of each kind on generated texts; precision among numbers of things and real texts."""
    found = []
    for kind in ("email", "phone", "card", "iban", "name", "address"):
        texts = planted(kind, count, seed=1)
        seen = [_is_hidden(text=each.text, value=each.value) for each in texts]
        found.append(Figure(f"text.pii.{kind}.recall", float(np.mean(seen)), ""))
    kept = np.mean([mask(text) == text for text in NUMBERS_OF_THINGS])
    questions = list(read(data, "banking77_train")["clean"])
    touched = sum(bool(find(text)) for text in questions)
    start = time.process_time()
    for text in questions:
        mask(text)
    rate = len(questions) / (time.process_time() - start)
    return [
        *found,
        Figure("text.pii.numbers_of_things_kept", float(kept), "share"),
        Figure("text.pii.banking77_texts_touched", touched / len(questions), "share"),
        Figure("text.pii.rate", rate, "texts/s of a core"),
    ]


def _is_hidden(text: str, value: str) -> bool:
    cleaned, planted_value = clean_all([text, value])
    told = planted_value.text.removeprefix("my name is ").removeprefix("Mrs ")
    masked = mask(cleaned.text)
    pieces = [p for p in told.split() if len(p) > 5 and any(map(str.isdigit, p))]
    return not told or not any(piece in masked for piece in (told, *pieces))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    with tempfile.TemporaryDirectory() as made:
        print_table(measure(folder, Path(made)), Console(width=100))
