"""Networks by a word for their size, for who orders a run without choosing each number."""

from __future__ import annotations

from training_app.lm.config import ConfigError, ModelConfig

# Layers, heads, width; chosen by hand. Widths fit the heads of both families.
SIZES: dict[str, tuple[int, int, int]] = {
    "tiny": (2, 4, 128),
    "small": (4, 4, 256),
    "medium": (6, 6, 384),
    "large": (12, 12, 768),
}


def network_of(size: str, family: str, *, context: int, vocab_size: int) -> ModelConfig:
    """Return the network of a size. Raises ConfigError for an unknown size or family."""
    if size not in SIZES:
        raise ConfigError("model_size", f"There is no size “{size}”; there are {', '.join(SIZES)}.")
    layers, heads, width = SIZES[size]
    return ModelConfig(family, layers, heads, heads, width, context, vocab_size)
