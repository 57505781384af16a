"""How control tokens that a person typed stay text in other tools, which know nothing of ours."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, normalizers

# A noncharacter. A tokenizer of ours drops it; a written chat template puts it into control tokens
# that a person typed, so that other tools read them as text too, to the same ids.
BREAK = "\ufdd0"
_BEGIN = "{#- Control tokens that somebody typed stay text. -#}"
_END = "{%- set messages = typed.said -%}{%- endif %}\n"


def drop_breaks(tokenizer: Tokenizer) -> None:
    """Let the tokenizer leave `BREAK` out of every text, before anything else is done to it."""
    old = tokenizer.normalizer
    if old is None:
        tokenizer.normalizer = normalizers.Replace(BREAK, "")
    elif old.normalize_str(f"a{BREAK}b") != old.normalize_str("ab"):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(BREAK, ""), old])


def broken(text: str, tokens: Iterable[str]) -> str:
    """Return Jinja that breaks the tokens in what the expression `text` gives."""
    for token in tokens:
        text += f" | replace({_quoted(token)}, {_quoted(token[0] + BREAK + token[1:])})"
    return text


def breakable(tokenizer: Tokenizer) -> list[str]:
    """Return what must be broken in a text: the opening of many tokens, and others whole."""
    added = tokenizer.get_added_tokens_decoder().values()
    foreign = {token.content for token in added if token.special and len(token.content) > 1}
    return ["<|", *sorted(token for token in foreign if "<|" not in token)]


def with_breaks(source: str, tokenizer: Tokenizer) -> str:
    """Return the chat template so that it breaks control tokens in messages before anything else.

    Where nobody typed any, the messages reach the template as they are.
    """
    tokens = breakable(tokenizer)
    spelled = " or ".join(f"{_quoted(token)} in message['content']" for token in tokens)
    is_typed = f"message['content'] is string and ({spelled})"
    said = broken("message['content']", tokens)
    return (
        _BEGIN + "{%- set typed = namespace(any=false, said=[]) -%}"
        "{%- for message in messages -%}{%- if " + is_typed + " -%}"
        "{%- set typed.any = true -%}{%- set typed.said = typed.said + [dict(message, content="
        + said
        + ")] -%}{%- else -%}{%- set typed.said = typed.said + [message] -%}{%- endif -%}"
        "{%- endfor -%}{%- if typed.any -%}" + _END + without_breaks(source)
    )


def without_breaks(source: str) -> str:
    """Return the chat template as it was before `with_breaks`."""
    return source.partition(_END)[2] if source.startswith(_BEGIN) else source


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
