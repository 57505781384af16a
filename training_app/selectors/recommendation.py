"""Which size of network a version's text supports, and why."""

from __future__ import annotations

from dataclasses import dataclass

from otto_web.lib.words import short_count
from training_app.lm.config import ModelConfig
from training_app.lm.tokenizer_kinds import supported
from training_app.selectors.forecast import Forecast, bytes_per_token

# All chosen by hand.
WEIGHTS_PER_TOKEN = 2.5  # more learn nothing from so little text
_SHAPES = ((2, 4, 128), (2, 4, 256), (4, 4, 256), (4, 6, 384), (6, 6, 384), (8, 8, 512))
_VOCABULARIES = (8192, 4096, 2048, 1024)
_CONTEXTS = (128, 256, 512, 1024)
_ROOM = 1.5  # times the middle conversation


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A network for a version, and the sentence that says why."""

    model: ModelConfig
    sentence: str

    @property
    def values(self) -> dict[str, str]:
        """Return what the form's fields would hold."""
        names = ("family", "layers", "heads", "kv_heads", "hidden_size", "context", "vocab_size")
        return {name: str(getattr(self.model, name)) for name in names}

    def is_taken(self, model: ModelConfig) -> bool:
        """Return whether a network has this size already."""
        return all(str(getattr(model, name)) == value for name, value in self.values.items())


def recommended(found: Forecast) -> Recommendation:
    """Return the largest network that the forecast's text supports."""
    wished = next((size for size in _VOCABULARIES if _supports(found.train_bytes, size)), 1024)
    vocabulary = supported(wished, found.train_bytes)
    size = bytes_per_token(vocabulary)
    tokens, middle = found.train_bytes / size, found.lengths.conversation / size
    context = next((one for one in _CONTEXTS if one >= _ROOM * middle), _CONTEXTS[-1])
    shapes = [
        ModelConfig("llama", layers, heads, heads, width, context, vocabulary)
        for layers, heads, width in _SHAPES
    ]
    fitting = [one for one in shapes if one.parameters <= WEIGHTS_PER_TOKEN * tokens]
    model = (fitting or shapes[:1])[-1]
    return Recommendation(model, _sentence(model, tokens, middle))


def _supports(train_bytes: int, entries: int) -> bool:
    return supported(entries, train_bytes) == entries


def _sentence(model: ModelConfig, tokens: float, middle: float) -> str:
    return (
        f"Recommended for your {short_count(tokens)} tokens: {model.layers} Llama layers, width"
        f" {model.hidden_size}, vocabulary {model.vocab_size:,}, context {model.context}. That is"
        f" {short_count(model.parameters)} parameters: text supports about {WEIGHTS_PER_TOKEN:g}"
        f" for each of its tokens, and the middle conversation has about {middle:,.0f}."
    )
