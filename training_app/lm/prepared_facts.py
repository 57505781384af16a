"""What prepared data are, for a person: counts, lengths, and what exactly the model will read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import numpy as np

from training_app.lm.config import TrainingError
from training_app.lm.packing import Packed
from training_app.lm.prepare import Prepared, check_files
from training_app.lm.template import Template

SAMPLES = 4  # from the beginning of each split, and as many of the longest
MOST_SHOWN = 1_500  # tokens of a sample
TEXTS = "text.jsonl"
STATISTICS = "processing_stats.json"
PLAIN = {"train": "train.txt", "validation": "validation.txt"}


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """A split in figures; `lengths` counts texts up to each power of two of tokens."""

    name: str
    texts: int
    tokens: int
    learnt: int
    unlearnt_texts: int  # nothing of these is learnt: they are only read
    overlong: int  # longer than the context
    at_context: int  # as long as it
    longest: int
    median: int
    shortest: int
    mean: float
    bytes: int  # of its token file
    bits: int  # of one token there
    lengths: list[tuple[int, int]]


def facts_of(prepared: Prepared, *, context: int) -> dict[str, Any]:
    """Return everything that the page of prepared data shows, as JSON can hold it."""
    splits = (("train", prepared.train), ("validation", prepared.validation))
    return {
        "entries": prepared.template.entries,
        "template": prepared.template.kind,
        "tokenizer_sha256": prepared.tokenizer_sha256,
        "context": context,
        "splits": [asdict(_split_facts(name, packed, context)) for name, packed in splits],
        "check": _check(prepared),
        "samples": [
            one for name, packed in splits for one in _samples(name, packed, prepared.template)
        ],
    }


def _check(prepared: Prepared) -> dict[str, int]:
    """Return what was looked at of the token files once more, as a run looks at them.

    Raises TrainingError where a file is not as it was written, or holds what is no token.
    """
    files = check_files(prepared.folder)
    packs = (prepared.train, prepared.validation)
    highest = max(int(packed.tokens.max()) for packed in packs)
    if highest >= prepared.template.entries:
        raise TrainingError(
            f"The prepared tokens hold the number {highest:,}, but the vocabulary has"
            f" {prepared.template.entries:,} entries. Prepare the version again."
        )
    size = sum(packed.tokens.nbytes + packed.answers.nbytes for packed in packs)
    return {"files": files, "bytes": int(size), "highest": highest}


def write_statistics(prepared: Prepared, facts: Mapping[str, Any], *, rows: int) -> None:
    """Write the figures as one JSON object, by the names of an earlier system.

    `rows` is how many conversations the version has in both splits.
    """
    splits = {split["name"]: split for split in facts["splits"]}
    texts = sum(split["texts"] for split in splits.values())
    told = {
        "total_documents": rows,
        "processed_documents": texts,
        "train_documents": splits["train"]["texts"],
        "val_documents": splits["validation"]["texts"],
        "text_files": list(PLAIN.values()),
        "binary_files": [f"{name}/tokens.bin" for name in splits],
        "token_stats": {name: _token_statistics(split) for name, split in splits.items()},
        "vocab_size": facts["entries"],
        "output_dir": prepared.folder.name,
    }
    text = json.dumps(told, indent=2) + "\n"
    (prepared.folder / STATISTICS).write_text(text, encoding="utf-8")


def _token_statistics(split: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "total_tokens": split["tokens"],
        "num_documents": split["texts"],
        "avg_tokens_per_document": split["mean"],
        "min_tokens_per_document": split["shortest"],
        "max_tokens_per_document": split["longest"],
        "file_size_mb": round(split["bytes"] / 1e6, 3),
        "dtype": f"uint{split['bits']}",
    }


def _plain(packed: Packed, template: Template, place: int) -> str:
    """Return a text as a person reads it, a line for each turn."""
    controls = set(template.tokenizer.get_added_tokens_decoder())
    start, end = _ends(packed, place)
    ids = packed.tokens[start:end].tolist()
    turns = groupby(ids, key=lambda one: one in controls)
    said = [template.tokenizer.decode(list(run)).strip() for is_sign, run in turns if not is_sign]
    return "\n".join(filter(None, said))


def write_texts(prepared: Prepared) -> None:
    """Write what the model reads, a line of JSON each, beside the tokens of its split.

    The same stands in plain text in a file for each split, an empty line between two texts.
    """
    for name, packed in (("train", prepared.train), ("validation", prepared.validation)):
        with (prepared.folder / PLAIN[name]).open("w", encoding="utf-8") as plain:
            for place in range(packed.facts.conversations):
                plain.write(f"{_plain(packed, prepared.template, place)}\n\n")
    for name, packed in (("train", prepared.train), ("validation", prepared.validation)):
        with (prepared.folder / name / TEXTS).open("w", encoding="utf-8") as file:
            for place in range(packed.facts.conversations):
                pieces = _pieces(packed, prepared.template, *_ends(packed, place))
                line = {
                    "text": "".join(text for text, _ in pieces),
                    "learnt": [text for text, is_learnt in pieces if is_learnt],
                }
                file.write(f"{json.dumps(line, ensure_ascii=False)}\n")


def _lengths(packed: Packed) -> Any:
    return np.diff(np.append(packed.starts, packed.facts.tokens))


def _split_facts(name: str, packed: Packed, context: int) -> SplitFacts:
    lengths = _lengths(packed)
    learnt = np.add.reduceat(packed.answers, packed.starts, dtype=np.int64)
    steps = np.ceil(np.log2(np.maximum(lengths, 1))).astype(int)
    counts = np.bincount(steps)
    return SplitFacts(
        name=name,
        texts=packed.facts.conversations,
        tokens=packed.facts.tokens,
        learnt=packed.facts.answer_tokens,
        unlearnt_texts=int((learnt == 0).sum()),
        overlong=packed.facts.overlong,
        at_context=int((lengths == context).sum()),
        longest=int(lengths.max()),
        median=int(np.median(lengths)),
        shortest=int(lengths.min()),
        mean=round(float(lengths.mean()), 1),
        bytes=int(packed.tokens.nbytes),
        bits=8 * packed.tokens.dtype.itemsize,
        lengths=[(2**step, int(counts[step])) for step in range(int(steps.min()), len(counts))],
    )


def _samples(name: str, packed: Packed, template: Template) -> Iterator[dict[str, Any]]:
    """Yield the first texts of a split, and its longest."""
    lengths = _lengths(packed)
    longest = np.argsort(-lengths, kind="stable")[:SAMPLES].tolist()
    chosen = dict.fromkeys([*range(min(SAMPLES, len(lengths))), *longest])
    for place in chosen:
        start, end = _ends(packed, place)
        shown = min(end, start + MOST_SHOWN)
        yield {
            "split": name,
            "number": place + 1,
            "tokens": end - start,
            "learnt": int(packed.answers[start:end].sum()),
            "left_out": end - shown,
            "pieces": _pieces(packed, template, start, shown),
        }


def _ends(packed: Packed, place: int) -> tuple[int, int]:
    is_last = place + 1 == packed.facts.conversations
    end = packed.facts.tokens if is_last else int(packed.starts[place + 1])
    return int(packed.starts[place]), end


def _pieces(packed: Packed, template: Template, start: int, end: int) -> list[tuple[str, bool]]:
    """Return the text of these tokens, control tokens by name, in pieces that are learnt or not."""
    ids = packed.tokens[start:end].tolist()
    learnt = packed.answers[start:end].tolist()
    runs = groupby(zip(ids, learnt, strict=True), key=lambda pair: bool(pair[1]))
    return [
        (template.tokenizer.decode([one for one, _ in run], skip_special_tokens=False), is_learnt)
        for is_learnt, run in runs
    ]
