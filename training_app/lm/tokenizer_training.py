"""Learns tokenizers of bytes by three ways, and measures them on lines they never saw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from training_app.lm.config import TrainingError
from training_app.lm.otto_template import CONTROL_TOKENS
from training_app.lm.tokenizer import with_control_tokens
from training_app.lm.tokenizer_backends import BACKENDS, Measured, Recipe, lines_of, most_common

LONGEST_WORD = 64  # bytes that WordPiece looks through at once: its time grows with the square
FEWEST = 300  # entries that its trainer can work with
LONGEST_PIECE = 16  # bytes of an entry of unigram
_ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


def learn(texts: Iterable[str], recipe: Recipe) -> Tokenizer:
    """Return the tokenizer that a recipe makes of these texts, which are iterated anew as needed.

    Raises TrainingError where they are all empty.
    """
    if not any(texts):
        raise TrainingError(
            "There is no text to make a tokenizer of: nothing is left after what is kept back."
        )
    tokenizer: Tokenizer = BACKENDS[recipe.method].load()(texts, recipe)
    with_control_tokens(tokenizer)
    return tokenizer


def bpe(texts: Iterable[str], recipe: Recipe) -> Tokenizer:
    """Return a byte-level BPE. Sennrich et al. 2016, section 3.2."""
    tokenizer = _of_bytes(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocab_size, min_frequency=recipe.min_frequency, **_common()
    )
    tokenizer.train_from_iterator(iter(texts), trainer)
    return tokenizer


def unigram(texts: Iterable[str], recipe: Recipe) -> Tokenizer:
    """Return a unigram model over bytes (Kudo 2018, section 3.2).

    Its trainer knows no smallest frequency: entries that the texts hold less often are taken out
    afterwards, and what they stood for is cut by the others. Of very few texts it gives some
    entries no score; they get the least one.
    """
    tokenizer = _of_bytes(models.Unigram())
    trainer = trainers.UnigramTrainer(
        vocab_size=max(recipe.vocab_size, FEWEST), max_piece_length=LONGEST_PIECE, **_common()
    )
    tokenizer.train_from_iterator(iter(texts), trainer)
    learned = json.loads(tokenizer.to_str())["model"]["vocab"]
    least = min(score for _, score in learned if score is not None)
    scored = [(piece, least if score is None else score) for piece, score in learned]
    first = _of_bytes(models.Unigram(scored, None, byte_fallback=False))
    used = Counter(token for text in texts for token in first.encode(text).tokens)
    kept = [
        (piece, score)
        for piece, score in scored
        if len(piece) == 1 or piece in CONTROL_TOKENS or used[piece] >= recipe.min_frequency
    ]
    return _of_bytes(models.Unigram(kept, None, byte_fallback=False))


def wordpiece(texts: Iterable[str], recipe: Recipe) -> Tokenizer:
    """Return a WordPiece over bytes, without a mark inside words. Schuster and Nakajima 2012."""
    model = models.WordPiece(max_input_chars_per_word=LONGEST_WORD + 1)
    model.continuing_subword_prefix = ""
    tokenizer = _of_bytes(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.FixedLength(length=LONGEST_WORD),
        ]
    )
    trainer = trainers.WordPieceTrainer(
        vocab_size=recipe.vocab_size,
        min_frequency=recipe.min_frequency,
        continuing_subword_prefix="",
        **_common(),
    )
    tokenizer.train_from_iterator(iter(texts), trainer)
    return tokenizer


def _common() -> dict[str, Any]:
    return {
        "special_tokens": list(CONTROL_TOKENS),
        "initial_alphabet": _ALPHABET,
        "show_progress": False,
    }


def _of_bytes(model: Any) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def measure(tokenizer: Tokenizer, texts: Iterable[str]) -> Measured:
    """Return how a tokenizer of bytes does on the lines of these texts."""
    used: Counter[str] = Counter()
    lines = characters = tokens = split = 0
    exact = True
    for line in lines_of(texts):
        found = tokenizer.encode(line)
        lines, characters, tokens = lines + 1, characters + len(line), tokens + len(found.ids)
        exact = exact and tokenizer.decode(found.ids, skip_special_tokens=False) == line
        places = Counter(at for begin, end in found.offsets for at in range(begin, end))
        split += sum(count > 1 for count in places.values())
        used.update(found.tokens)
    said = Counter({tokenizer.decoder.decode([token]): count for token, count in used.items()})
    return Measured(
        lines=lines,
        characters=characters,
        token_count=tokens,
        coverage=1.0,  # no tokenizer made here has an unknown token
        oov_rate=0.0,
        char_coverage=1 - split / characters if characters else 1.0,
        characters_per_token=characters / tokens if tokens else 0.0,
        exact=exact,
        most_used=most_common(said),
    )
