"""The kinds of network that a run from scratch may choose from."""

from __future__ import annotations

from dataclasses import dataclass

from training_app.lm.registry import Choice


@dataclass(frozen=True, slots=True)
class Family(Choice):
    """A kind of network; the function takes a ModelConfig and what all kinds are told.

    That is a dictionary of vocab_size, tie_word_embeddings and the ids of control tokens, as
    configurations of transformers name them.
    """

    head_step: int  # a head's width is a multiple of it, or the engine cannot serve it


FAMILIES = {
    "llama": Family(
        "Llama", "learns faster per second", "training_app.lm.model:llama_network", head_step=16
    ),
    "gpt2": Family(
        "GPT-2", "as the earlier presets have it", "training_app.lm.model:gpt2_network", head_step=8
    ),
}
