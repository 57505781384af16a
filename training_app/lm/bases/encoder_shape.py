"""What a sentence encoder's folder says about it, or why it is none that OTTO can use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from training_app.lm.bases.errors import BaseError
from training_app.lm.config import shown

Pooling = Literal["mean", "first"]
PARTS = ("Transformer", "Pooling", "Normalize")  # of sentence-transformers
KINDS = {"bert": 0, "roberta": 1, "xlm-roberta": 1}  # whether positions begin behind the pad token
MOST_TOKENS = 256
_MOST_BYTES = 1 << 20
_LIMITS = {"layers": 48, "heads": 64, "width": 4096, "inner": 16_384, "vocab": 1_000_000}


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The sizes of a BERT encoder, and how a text's tokens become one vector.

    Raises BaseError where a size is none that such a model has.
    """

    layers: int
    heads: int
    width: int
    inner: int
    vocab: int
    positions: int
    first_position: int
    norm_epsilon: float
    pooling: Pooling
    max_tokens: int

    def __post_init__(self) -> None:
        for name, most in _LIMITS.items():
            size = getattr(self, name)
            if type(size) is not int or not 0 < size <= most:
                raise BaseError(f"The encoder's config.json gives {shown(size)} as its {name}.")
        if self.width % self.heads:
            raise BaseError(f"{self.heads} heads cannot share a width of {self.width} evenly.")

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Return the size of every weight that is used, by the name that BERT gives it."""
        width, inner = self.width, self.inner
        found: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocab, width),
            "embeddings.position_embeddings.weight": (self.positions, width),
            **_norm("embeddings.LayerNorm", width),
        }
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}"
            for part in ("query", "key", "value"):
                found |= _linear(f"{name}.attention.self.{part}", width, width)
            found |= _linear(f"{name}.attention.output.dense", width, width)
            found |= _norm(f"{name}.attention.output.LayerNorm", width)
            found |= _linear(f"{name}.intermediate.dense", inner, width)
            found |= _linear(f"{name}.output.dense", width, inner)
            found |= _norm(f"{name}.output.LayerNorm", width)
        return found


def _linear(name: str, out: int, into: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def is_encoder(config: Mapping[str, Any]) -> bool:
    """Return whether a config.json is of a model that reads both ways, as encoders do."""
    return str(config.get("model_type")) in KINDS


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object of a model's folder. Raises BaseError where it is none, or too large."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BaseError(f"{path.name} is larger than 1 MB.")
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BaseError(f"{path.name} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise BaseError(f"{path.name} is no JSON object.")
    return values


def encoder_shape(folder: Path) -> EncoderShape:
    """Return the sizes of the encoder in a Hugging Face folder.

    Raises BaseError where it is of another kind, or does not say how large it is.
    """
    _refuse_other_parts(folder)
    config = read_json(folder / "config.json")
    kind = str(config.get("model_type"))
    if kind not in KINDS:
        raise BaseError(f"The encoder is of the kind {shown(kind)}; OTTO reads {', '.join(KINDS)}.")
    if config.get("hidden_act") != "gelu":
        activation = shown(config.get("hidden_act"))
        raise BaseError(f"The encoder's activation is {activation}; OTTO reads gelu.")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise BaseError("The encoder has relative positions, which OTTO does not read.")
    padding = config.get("pad_token_id") or 0
    epsilon = config.get("layer_norm_eps", 1e-12)
    if type(padding) is not int or type(epsilon) not in {int, float}:
        raise BaseError("The encoder's config.json gives pad_token_id or layer_norm_eps no number.")
    first = KINDS[kind] and padding + 1
    positions = config.get("max_position_embeddings")
    if type(positions) is not int or not first < positions <= 1 << 16:
        raise BaseError(f"The encoder's config.json gives {shown(positions)} positions.")
    return EncoderShape(
        layers=config.get("num_hidden_layers", 0),
        heads=config.get("num_attention_heads", 0),
        width=config.get("hidden_size", 0),
        inner=config.get("intermediate_size", 0),
        vocab=config.get("vocab_size", 0),
        positions=positions,
        first_position=first,
        norm_epsilon=float(epsilon),
        pooling=_pooling(folder),
        max_tokens=_most_tokens(folder, positions - first),
    )


def _refuse_other_parts(folder: Path) -> None:
    """Refuse an encoder that does more to its vectors than OTTO would."""
    path = folder / "modules.json"
    if not path.is_file():
        return
    try:
        modules = json.loads(path.read_text("utf-8"))
        kinds = [str(one["type"]).rsplit(".", 1)[-1] for one in modules]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BaseError("The encoder's modules.json cannot be read.") from error
    if others := [kind for kind in kinds if kind not in PARTS]:
        raise BaseError(
            f"The encoder has a part of the kind {shown(others[0])}, without which its vectors are"
            f" others; OTTO reads {', '.join(PARTS)}."
        )


def _pooling(folder: Path) -> Pooling:
    path = folder / "1_Pooling" / "config.json"
    if not path.is_file():
        return "mean"
    values = read_json(path)
    modes = {name for name, on in values.items() if name.startswith("pooling_mode_") and on is True}
    if modes == {"pooling_mode_mean_tokens"}:
        return "mean"
    if modes == {"pooling_mode_cls_token"}:
        return "first"
    raise BaseError("The encoder makes its vector neither of the mean nor of the first token.")


def _most_tokens(folder: Path, positions: int) -> int:
    path = folder / "sentence_bert_config.json"
    told = read_json(path).get("max_seq_length") if path.is_file() else None
    wished = told if type(told) is int and told > 0 else MOST_TOKENS
    return min(wished, positions, MOST_TOKENS)
