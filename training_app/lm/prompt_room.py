"""How much of a context questions may take, and whether a system prompt leaves any of it."""

from __future__ import annotations

from pathlib import Path

from datasets_app.corpus.conversation import SYSTEM, USER, Turn
from training_app.lm.config import ConfigError, RunSpec
from training_app.lm.tokenizer_kinds import TOKENIZERS

SAMPLE_TOKENS = 64  # of an answer that a run shows as it learns; more where the real one is longer
MOST_SAMPLE_TOKENS = 512  # of any of them
CONTROL_TOKENS_AROUND = 4  # end of text, the cue of the prompt and its end, the cue of the answer


def question_room(context: int) -> int:
    """Return how many tokens a question may have; a long answer may claim half of the context."""
    return max(context // 2, context - SAMPLE_TOKENS)


def refuse_long_prompt(spec: RunSpec, base: Path | None) -> None:
    """Raise ConfigError for a system prompt that leaves no room for a question.

    It is counted by the tokenizer in the folder `base` of what the run begins with. A tokenizer
    that is yet to be made says only how many tokens there are at least, so that no prompt is
    refused that might fit.
    """
    prompt = spec.data.system_prompt
    if not prompt or (spec.start_from and base is None):
        return
    at_least = "" if base else "at least "
    if base is not None:
        tokens = _counted(prompt, base)
    else:
        tokens = TOKENIZERS[spec.data.tokenizer].fewest(prompt) + CONTROL_TOKENS_AROUND
    room = question_room(spec.model.context)
    if tokens > room:
        raise ConfigError(
            "system_prompt",
            f"The system prompt needs {at_least}{tokens:,} tokens, but with"
            f" a context of {spec.model.context:,} there is room for {room:,} before the answer."
            " Make it shorter.",
        )


def _counted(prompt: str, folder: Path) -> int:
    """Return the tokens of the system prompt and of what the template puts around it."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - only a run with a prompt needs it

    from training_app.lm.template import OTTO, Template, kind_of  # noqa: PLC0415 - as above

    if kind_of(folder) != OTTO:
        turns = (Turn(SYSTEM, prompt), Turn(USER, ""))
        return len(Template.open(folder).prompt(turns).ids)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True  # a control token that somebody typed is text
    return len(tokenizer.encode(prompt, add_special_tokens=False).ids) + CONTROL_TOKENS_AROUND
