"""The tokenizer that a GGUF file holds, as tokenizer.json: the same ids as the original's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
)

from training_app.lm.bases.errors import BaseError
from training_app.lm.bases.gguf_file import GgufFile
from training_app.lm.config import shown

LONGEST_ENTRY = 1_000  # signs: each is tried as two entries at every place

_CONTROL, _USER_DEFINED = 3, 4  # kinds of entries, as GGUF numbers them
_MOST_ENTRIES = 262_144  # as many as a network may have
_SPACE = "▁"
# Llama 3 and Qwen 2 part words by these; the digits of a number stay together in threes, or not.
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _plain() -> Any:
    return pre_tokenizers.ByteLevel(add_prefix_space=False)


def _digits_alone() -> Any:
    return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), _plain()])


def _by(words: str) -> Any:
    parted = pre_tokenizers.Split(Regex(words), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([parted, level])


_PARTED: dict[str, Callable[[], Any]] = {  # by `tokenizer.ggml.pre`: how text becomes words
    "gpt-2": _plain,
    "smollm": _digits_alone,
    "starcoder": _digits_alone,
    "refact": _digits_alone,
    "llama-bpe": lambda: _by(_WORDS % "{1,3}"),
    "qwen2": lambda: _by(_WORDS % ""),
}
_COMPOSED = ("qwen2",)  # these read é as one letter, however it was typed
_WHOLE_WORDS = ("llama-bpe",)  # these take a word that is an entry as it is, without merging


@dataclass(frozen=True, slots=True)
class Entries:
    """The vocabulary as GGUF lists it."""

    tokens: list[str]
    kinds: list[int]

    @classmethod
    def of(cls, file: GgufFile) -> Entries:
        """Return the entries. Raises BaseError where they are none that a network can have."""
        tokens = file.wanted("tokenizer.ggml.tokens", list)
        kinds = file.values.get("tokenizer.ggml.token_type") or [1] * len(tokens)
        if not 0 < len(tokens) <= _MOST_ENTRIES or len(kinds) != len(tokens):
            raise BaseError(f"The GGUF file's vocabulary has {len(tokens):,} entries.")
        if len(set(tokens)) != len(tokens):
            raise BaseError("The GGUF file's vocabulary names an entry twice.")
        return cls(tokens, kinds)

    def added(self) -> list[AddedToken]:
        """Return the entries that no text merges to: control tokens, and others kept whole."""
        return [
            AddedToken(token, normalized=False, special=kind == _CONTROL)
            for token, kind in zip(self.tokens, self.kinds, strict=True)
            if kind in {_CONTROL, _USER_DEFINED} and token
        ]


def tokenizer_of(file: GgufFile) -> Tokenizer:
    """Return the file's tokenizer. Raises BaseError for one that is not known here."""
    entries = Entries.of(file)
    kind = file.wanted("tokenizer.ggml.model", str)
    if kind == "gpt2":
        tokenizer = _byte_level(file, entries)
    elif kind == "llama":
        tokenizer = _sentence_pieces(file, entries)
    else:
        raise BaseError(
            f"The GGUF file's tokenizer is of the kind “{shown(kind)}”; OTTO reads gpt2 and llama."
            " Bring the model as a Hugging Face folder."
        )
    for token in entries.added():  # each by itself: the library sorts out none of them
        add = tokenizer.add_special_tokens if token.special else tokenizer.add_tokens
        add([token])
    if tokenizer.get_vocab_size() != len(entries.tokens):
        raise BaseError("The GGUF file's vocabulary does not fit its control tokens.")
    return tokenizer


def _byte_level(file: GgufFile, entries: Entries) -> Tokenizer:
    parted = file.wanted("tokenizer.ggml.pre", str)
    if parted not in _PARTED:
        raise BaseError(
            f"The GGUF file's tokenizer parts words in the way “{shown(parted)}”, which OTTO does"
            f" not know; it knows {', '.join(_PARTED)}. Bring the model as a Hugging Face folder."
        )
    merges = [_pair(merge) for merge in file.wanted("tokenizer.ggml.merges", list)]
    vocabulary = {token: number for number, token in enumerate(entries.tokens)}
    whole = parted in _WHOLE_WORDS
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=whole))
    if parted in _COMPOSED:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _PARTED[parted]()
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _pair(merge: object) -> tuple[str, str]:
    left, space, right = str(merge).partition(" ")
    if not space or " " in right:
        raise BaseError(f"The GGUF file's tokenizer merges {shown(merge)}, which are not two.")
    return left, right


def _sentence_pieces(file: GgufFile, entries: Entries) -> Tokenizer:
    """Return a SentencePiece vocabulary as BPE: what has the higher score is merged first."""
    scores = file.wanted("tokenizer.ggml.scores", list)
    if len(scores) != len(entries.tokens):
        raise BaseError("The GGUF file's tokenizer has another number of scores than entries.")
    vocabulary = {token: number for number, token in enumerate(entries.tokens)}
    unknown = entries.tokens[_id(file, "unknown", entries) or 0]
    model = models.BPE(
        vocabulary,
        _merges(vocabulary, scores),
        unk_token=unknown,
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    begins_spaced = bool(file.values.get("tokenizer.ggml.add_space_prefix", True))
    spaces = normalizers.Replace(" ", _SPACE)
    prefix = [normalizers.Prepend(_SPACE)] if begins_spaced else []
    tokenizer.normalizer = normalizers.Sequence([*prefix, spaces])
    strip = [decoders.Strip(" ", 1, 0)] if begins_spaced else []
    bytes_to_text = [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*bytes_to_text, *strip])
    return tokenizer


def _merges(vocabulary: dict[str, int], scores: list[float]) -> list[tuple[str, str]]:
    """Return every way in which an entry is two others, best entries first."""
    found = []
    if len(longest := max(vocabulary, key=len, default="")) > LONGEST_ENTRY:
        raise BaseError(
            f"The tokenizer has an entry of {len(longest):,} signs, {shown(longest[:20])} …; at"
            f" most {LONGEST_ENTRY:,} are read."
        )
    for token, number in vocabulary.items():
        halves = [
            (vocabulary[token[:cut]], vocabulary[token[cut:]], token[:cut], token[cut:])
            for cut in range(1, len(token))
            if token[:cut] in vocabulary and token[cut:] in vocabulary
        ]
        found += [(-scores[number], *half) for half in sorted(halves)]
    found.sort(key=lambda merge: merge[0])
    return [(left, right) for _, _, _, left, right in found]


def _id(file: GgufFile, name: str, entries: Entries) -> int | None:
    number = file.values.get(f"tokenizer.ggml.{name}_token_id")
    if number is None:
        return None
    if not isinstance(number, int) or not 0 <= number < len(entries.tokens):
        raise BaseError(f"The GGUF file's {name} token is {shown(number)}, which is no entry.")
    return number


@dataclass(frozen=True, slots=True)
class ControlTokens:
    """The tokens that begin, end and fill; texts, as tokenizer_config.json names them."""

    begin: str | None
    end: str | None
    fill: str | None

    @classmethod
    def of(cls, file: GgufFile) -> ControlTokens:
        """Return what the file names. Raises BaseError for an id that is no entry."""
        entries = Entries.of(file)
        ids = (_id(file, name, entries) for name in ("bos", "eos", "padding"))
        begin, end, fill = (None if number is None else entries.tokens[number] for number in ids)
        return cls(begin, end, fill or end)
