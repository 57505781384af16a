"""Whole talks in one text, with the marks of a model's template between their turns.

Marks of ChatML, Llama 2, 3 and 4, Gemma, Zephyr and Phi, DeepSeek, Command, Vicuna, Alpaca and
HH-RLHF are known; none of them stays in the words.
"""

from __future__ import annotations

import re

from datasets_app.corpus.conversation import ASSISTANT, SYSTEM, USER, Turn
from datasets_app.corpus.roles import role_of

_WORD = r"[A-Za-z_]{1,20}"
_HEAD = "Instruction|Input|Question|Human|User|Prompt|Response|Answer|Assistant|Output|System"
MARK = re.compile(
    rf"<\|im_start\|>\s{{0,4}}(?P<chatml>{_WORD})[^\n]{{0,40}}\n?"
    rf"|<\|(?:start_header_id|header_start)\|>\s{{0,4}}(?P<llama>{_WORD})\s{{0,4}}"
    r"<\|(?:end_header_id|header_end)\|>"
    rf"|<start_of_turn>\s{{0,4}}(?P<gemma>{_WORD})[ \t]{{0,4}}\n?"
    r"|<\|(?P<zephyr>user|assistant|system|human|bot)\|>"
    r"|<\uff5c(?P<deepseek>User|Assistant|System)\uff5c>"
    r"|<\|START_OF_TURN_TOKEN\|>\s{0,4}<\|(?P<command>USER|CHATBOT|SYSTEM)_TOKEN\|>"
    r"|(?P<inst>\[/?INST\]|<</?SYS>>)"
    rf"|\#\#\#?[ \t]{{0,4}}(?P<alpaca>{_HEAD})[ \t]{{0,4}}:"
    r"|(?:\A\s{0,8}|\n\n)(?P<human>Human|Assistant):(?=\s)"
    r"|(?:(?<=\s)|(?<=</s>)|\A)(?P<vicuna>USER|ASSISTANT|HUMAN):(?=\s)"
)
END = re.compile(
    r"<\|(?:im_end|im_sep|eot_id|eot|eom_id|end_of_text|begin_of_text|endoftext|end|EOT"
    r"|END_OF_TURN_TOKEN)\|>|<end_of_turn>|<\uff5c(?:begin|end)\u2581of\u2581sentence\uff5c>"
)
EDGES = ("<s>", "</s>", "<bos>", "<eos>")
SURE = ("<|", "<start_of_turn>", "<\uff5c", "[INST]", "##", "Human:", "USER:", "HUMAN:")
ROLES = {
    **dict.fromkeys(("instruction", "input", "question", "human", "user", "prompt"), USER),
    **dict.fromkeys(("response", "answer", "output", "model", "chatbot", "bot"), ASSISTANT),
    "[INST]": USER,
    "[/INST]": ASSISTANT,
    "<<SYS>>": SYSTEM,
    "<</SYS>>": USER,
}


def marked_turns(text: str, *, is_open: bool = False) -> tuple[Turn, ...]:
    """Return the turns of a text with marks; () where nobody asks or nobody answers in it.

    Of one that `is_open` the answer stands elsewhere, so only somebody who asks is needed.
    """
    if not any(sign in text for sign in SURE):
        return ()
    found = list(MARK.finditer(text))
    if not found:
        return ()
    told: list[Turn] = []
    if before := _bare(text[: found[0].start()]):
        told.append(Turn(SYSTEM, before))
    ends = [mark.start() for mark in found[1:]] + [len(text)]
    for mark, end in zip(found, ends, strict=True):
        role, words = _role(mark), _bare(text[mark.end() : end])
        if not words:
            continue
        if told and told[-1].role == role:
            told[-1] = Turn(role, f"{told[-1].text}\n\n{words}")
        else:
            told.append(Turn(role, words))
    needed = {USER} if is_open else {USER, ASSISTANT}
    return tuple(told) if needed <= {turn.role for turn in told} else ()


def begins_marked(text: str) -> bool:
    """Say whether a mark is the first thing in a text, and nothing that it shows further down."""
    found = MARK.search(text)
    return found is not None and not _bare(text[: found.start()])


def ends_marked(text: str) -> bool:
    """Say whether a text ends where somebody is to go on, as prompts do."""
    found = list(MARK.finditer(text))
    return bool(found) and not _bare(text[found[-1].end() :])


def bare(text: str) -> str:
    """Return an answer without the marks that end it; any other text as it is."""
    return _bare(text) if END.search(text) or text.rstrip().endswith("</s>") else text


def _role(mark: re.Match[str]) -> str:
    word = next(told for told in mark.groups() if told)
    return ROLES.get(word) or ROLES.get(word.casefold()) or role_of(word)


def _bare(text: str) -> str:
    told, before = END.sub("", text).strip(), None
    while told != before:
        before = told
        for edge in EDGES:
            told = told.removeprefix(edge).removesuffix(edge).strip()
    return told
