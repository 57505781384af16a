"""What may be wished of the one-click loop: the words of each option, for page and command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat_app.serving.limits import NEW_TOKENS
from datasets_app.corpus.pairs.recipes import SENT_FOR_PAIRS
from otto_web.lib.uuids import as_uuid
from otto_web.loop.models import Pipeline
from training_app.lm.exports.registry import FORMATS
from training_app.lm.presets import DEFAULT_TUNING, PRESETS
from training_app.models import TrainedModel
from training_app.selectors.setting_words import TRAIN_SETTINGS

EPOCHS, BATCH_SIZE = 3, 4  # what the form begins with
OPSETS = FORMATS["onnx"].opsets
_TUNING = PRESETS[DEFAULT_TUNING]


@dataclass(frozen=True, slots=True)
class Wish:
    """An option as a person meets it."""

    label: str
    hint: str


# wishes of training, as a run names them
WISHED_OF_TRAINING = {
    "batch_size": "micro_batch",
    "learning_rate": "learning_rate",
    "device": "device",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "max_grad_norm": "max_grad_norm",
    "precision": "precision",
    "checkpoint_every": "checkpoint_every",
    "keep_last": "keep_last",
}
_OF_RUNS = ("optimizer", "schedule", "max_grad_norm", "precision", "checkpoint_every", "keep_last")

WISHES: dict[str, Wish] = {
    "addresses": Wish(
        "Or pages from the web",
        "Addresses, one in each line. Their text becomes documents of the loop.",
    ),
    "follows": Wish("Fetch also the pages of the same sites behind them, up to a hundred", ""),
    "chunk_size": Wish("Characters a chunk, at most", ""),
    "provider": Wish("Who words the questions", f"A provider is sent {SENT_FOR_PAIRS}."),
    "llm_model": Wish("Model of the provider", "Left empty: the one that its page names."),
    "questions": Wish("Questions for each chunk, at most", ""),
    "passing": Wish("A pair passes from this score on", ""),
    "threshold": Wish("It is learned from, from this score on", ""),
    "base": Wish("Base model", "What the model goes on from."),
    "alias": Wish("Name of the deployment", "Left empty, it is called like the data."),
    "model_name": Wish(
        "Name of the model", "It gets the next free number; left empty, it is called like the data."
    ),
    "epochs": Wish(
        "Epochs",
        "How often it sees all of the training data. Empty: as short as it may be, which is enough"
        " to see the whole way.",
    ),
    "batch_size": Wish("Batch size", "Windows of text computed at once; each needs memory."),
    "minutes": Wish(
        "Minutes to train",
        "If you say so, they count instead of the epochs; those of the team do where you leave the"
        " epochs as they are.",
    ),
    "learning_rate": Wish(
        "Learning rate",
        f"Left empty: {_TUNING.train.learning_rate:g} from a base model. Whatever you write is"
        " honoured.",
    ),
    "device": Wish("Device", "Automatic takes a GPU where PyTorch finds one, else the CPU."),
    "max_length": Wish(
        "Longest text",
        "Tokens that it looks back over, in training and in chats; the oldest turns are left out"
        " first. Below 256 it learns without known answers.",
    ),
    "max_tokens": Wish(
        "Longest reply",
        "Tokens; also what new chats with it begin with: 30–50 for short answers, 100–200 for long"
        f" ones. Left empty: {NEW_TOKENS.usual}.",
    ),
    "onnx": Wish("Write ONNX for other tools", "A folder that optimum and onnxruntime open."),
    "opset": Wish("ONNX opset", "The edition of its operators; older programs know lower ones."),
    "verify": Wish(
        "Stop where the ONNX differs from PyTorch",
        "The file is always compared, number by number, and never offered where it differs. With"
        " this the loop stops there; without it goes on.",
    ),
    "system_prompt": Wish(
        "System prompt", "Stands before each conversation that it learns from, and in its chats."
    ),
    **{name: Wish(TRAIN_SETTINGS[name].label, TRAIN_SETTINGS[name].hint) for name in _OF_RUNS},
    "verbose": Wish(
        "List each document, chunk and pair",
        "Below its step, as it is done: chunks of a document, pairs of a chunk, score of a pair.",
    ),
    "resume": Wish(
        "Go on with what was left of the same documents or data",
        "Continues the newest loop of these that is not done, at the step where it failed. Where"
        " there is none, a new one begins.",
    ),
    "force": Wish(
        "Train in spite of a critical quality",
        "Say why. Data with a score below 50 % is refused otherwise; the reason is kept.",
    ),
}


def label_of(field: str) -> str:
    """Return what a field of the form is called."""
    return WISHES["base" if field == "way" else field].label


def shown_wishes(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    """Return label, value and who said so of each option that was chosen; at most one query."""
    came_from = pipeline.options.get("came_from", {})
    shown = []
    for name, wish in WISHES.items():
        value = pipeline.options.get(name)
        if value in (None, "", False) or (name in ("opset", "verify") and not _has_onnx(pipeline)):
            continue
        shown.append((wish.label, _spoken(name, value), came_from.get(name, "")))
    return shown


def _has_onnx(pipeline: Pipeline) -> bool:
    return bool(pipeline.options.get("onnx"))


def _spoken(name: str, value: Any) -> str:
    if value is True:
        return "yes"
    if name == "base" and (found := as_uuid(str(value))):
        model = TrainedModel.objects.filter(pk=found).first()
        return str(model) if model else "deleted meanwhile"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
