"""How fast the serving engine writes, alone and for eight people, beside two named peers.

    python -m tests.bench.bench_decode

Every figure is a median of rounds in which all candidates take turns. The weights are random,
the shapes those of the presets; the answers are greedy. The peers are transformers' `generate`
with torch, and optimum's `generate` with onnxruntime, both with torch held to one thread, which
is their fastest setting on small models.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime as ort
import torch
from optimum.onnxruntime import ORTModelForCausalLM
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from chat_app.serving.export import write_graph
from chat_app.serving.graph_files import Precision
from chat_app.serving.loaded import LoadedModel, load_model
from chat_app.serving.requests import Finished, ModelKey, Request
from chat_app.serving.sampling import Sampling
from chat_app.serving.scheduler import Scheduler
from training_app.lm.otto_template import CONTROL_TOKENS

PEOPLE = (1, 4, 8)
PROMPT_TOKENS, NEW_TOKENS = 64, 128
GROUNDED_TOKENS = 220  # of a question with three known answers
ROUNDS = 5
THREADS = 2
SHAPES: dict[str, dict[str, int]] = {
    "chat_2x4x256": {
        "layers": 2,
        "heads": 4,
        "hidden_size": 256,
        "context": 256,
        "vocab_size": 4096,
    },
    "small_6x6x384": {
        "layers": 6,
        "heads": 6,
        "hidden_size": 384,
        "context": 512,
        "vocab_size": 8192,
    },
    "smollm2_30x9x576": {  # the base model of a fresh installation
        "layers": 30,
        "heads": 9,
        "kv_heads": 3,
        "hidden_size": 576,
        "context": 1024,
        "vocab_size": 49_152,
        "rounds": 3,
    },
}

SMALLEST = {
    "PEOPLE": (1, 8),
    "PROMPT_TOKENS": 8,
    "NEW_TOKENS": 4,
    "GROUNDED_TOKENS": 12,
    "ROUNDS": 2,
    "SHAPES": {
        "1x2x32": {"layers": 1, "heads": 2, "hidden_size": 32, "context": 64, "vocab_size": 4096}
    },
}

Write = Callable[[int], int]  # people -> tokens written


def run() -> dict[str, float]:
    """Return tokens per second of each candidate and the ratios that are promised."""
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for name, sizes in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            figures |= _figures(name, _make_model(Path(folder), sizes), sizes.get("rounds", ROUNDS))
    return figures


def _figures(name: str, folder: Path, rounds: int) -> dict[str, float]:
    ours = {"fp32": _loaded(folder, "fp32"), "int8": _loaded(folder, "row-int8")}
    speeds = _rounds(_candidates(folder, ours), rounds)
    figures = {f"{name}.{who}.{people}": _median(speeds[who, people]) for who, people in speeds}
    for precision, model in ours.items():
        figures[f"{name}.{precision}.first_token_ms"] = _first_token(model)
        figures[f"{name}.{precision}.8_over_1"] = _ratio(speeds[precision, 8], speeds[precision, 1])
        for peer in ("transformers", "optimum"):
            for people in PEOPLE:
                ratio = _ratio(speeds[precision, people], speeds[peer, people])
                figures[f"{name}.{precision}_over_{peer}.{people}"] = ratio
    return figures


def _rounds(candidates: dict[str, Write], rounds: int) -> dict[tuple[str, int], list[float]]:
    cells = [(who, people) for who in candidates for people in PEOPLE]
    speeds: dict[tuple[str, int], list[float]] = {cell: [] for cell in cells}
    for _ in range(rounds):
        for who, people in cells:
            started_at = time.perf_counter()
            tokens = candidates[who](people)
            speeds[who, people].append(tokens / (time.perf_counter() - started_at))
    return speeds


def _median(speeds: list[float]) -> float:
    return statistics.median(speeds[1:])  # the first round warms up


def _ratio(ours: list[float], theirs: list[float]) -> float:
    """Compare round by round, so that what else the machine does weighs on both."""
    return _median([mine / other for mine, other in zip(ours, theirs, strict=True)])


def _loaded(folder: Path, precision: Precision) -> LoadedModel:
    return load_model(ModelKey(folder, precision), threads=THREADS)


def _candidates(folder: Path, ours: dict[str, LoadedModel]) -> dict[str, Write]:
    return {
        **{precision: partial(_write_ours, model) for precision, model in ours.items()},
        "transformers": partial(_write_peer, LlamaForCausalLM.from_pretrained(folder).eval()),
        "optimum": partial(_write_peer, _optimum(folder)),
    }


def _optimum(folder: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing speaks of its own branches
        return ORTModelForCausalLM.from_pretrained(folder, export=True, session_options=options)


def _prompts(people: int, tokens: int, seed: int = 7) -> list[list[int]]:
    draw = random.Random(seed)  # noqa: S311 - not a secret
    return [[draw.randrange(300, 4000) for _ in range(tokens)] for _ in range(people)]


def _write_ours(model: LoadedModel, people: int) -> int:
    """Write for so many people and return the tokens."""
    ends = _answered(model, _prompts(people, PROMPT_TOKENS), NEW_TOKENS)
    return sum(len(end.answer_ids) for end in ends)


def _first_token(model: LoadedModel) -> float:
    """Return milliseconds until one person sees the first token of an answer."""
    spans = []
    for seed in range(ROUNDS):  # prompts of their own: nothing of them was read before
        (end,) = _answered(model, _prompts(1, GROUNDED_TOKENS, seed), 2)
        spans.append(end.timings.first_token_ms)
    return _median(spans)


def _answered(model: LoadedModel, prompts: list[list[int]], new_tokens: int) -> list[Finished]:
    """Answer all prompts through the whole scheduler: queue, reading, sampling, text, events."""
    ends: list[Finished] = []
    scheduler = Scheduler(
        lambda event: ends.append(event) if isinstance(event, Finished) else None,
        load=lambda _: model,
    )
    for number, prompt in enumerate(prompts):
        request = Request(
            gen=str(number),
            user=str(number),
            model=ModelKey(Path()),
            prompt_ids=prompt,
            sampling=Sampling(temperature=0.0),
            new_tokens=new_tokens,
        )
        scheduler.submit(request)
    while len(ends) < len(prompts):
        scheduler.turn()
    return ends


def _write_peer(model: Any, people: int) -> int:
    ids = torch.tensor(_prompts(people, PROMPT_TOKENS))
    with torch.inference_mode():
        written = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
            min_new_tokens=NEW_TOKENS,
            pad_token_id=0,
        )
    return int(written[:, PROMPT_TOKENS:].numel())


def _make_model(folder: Path, sizes: dict[str, int]) -> Path:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=sizes["vocab_size"],
        hidden_size=sizes["hidden_size"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes.get("kv_heads", sizes["heads"]),
        intermediate_size=64 * -(-sizes["hidden_size"] * 8 // 192),
        max_position_embeddings=sizes["context"],
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    _make_tokenizer(sizes["vocab_size"]).save(str(folder / "tokenizer.json"))
    for precision in ("fp32", "row-int8"):
        write_graph(folder, precision)
    return folder


def _make_tokenizer(vocab_size: int) -> Tokenizer:
    draw = random.Random(1)  # noqa: S311 - not a secret
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(30_000)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=list(CONTROL_TOKENS), show_progress=False
    )
    tokenizer.train_from_iterator([" ".join(words)], trainer)
    return tokenizer


if __name__ == "__main__":
    for title, figure in run().items():
        print(f"{title:40} {figure:8.2f}")  # noqa: T201
