"""What each rule looks for, in one sentence, with an answer that passes and one that does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule in words; `good` and `bad` are a question and an answer each."""

    sentence: str
    good: tuple[str, str]
    bad: tuple[str, str]


EXPLANATIONS: dict[str, Explanation] = {
    "empty": Explanation(
        "The answer holds no letter and no digit.",
        ("How many seats do we have?", "42"),
        ("How many seats do we have?", "…"),
    ),
    "too_short": Explanation(
        "The answer has fewer than three words although the question asks for more.",
        ("Are you open today?", "Yes."),
        ("Please describe your shop.", "it is"),
    ),
    "repetitive": Explanation(
        "The answer says the same words, sentences or lines again and again.",
        ("Which days are you open?", "Monday to Friday from nine to five, Saturday until noon."),
        ("Which days are you open?", "We are open now. We are open now. We are open now."),
    ),
    "gibberish": Explanation(
        "The answer is no readable text: signs, mashed keys, broken characters or a bare link.",
        ("What is your number?", "+1 (555) 010-0199"),
        ("What is your number?", "asdf qwer zxcv poiu"),
    ),
    "truncated": Explanation(
        "The answer stops in the middle of a sentence or of a code block.",
        ("Which vegetable is good for the eyes?", "Carrots are rich in vitamin A"),
        ("How do I reset it?", "Hold the button for ten seconds and then press the"),
    ),
    "echo": Explanation(
        "The answer gives the question back and adds nothing to it.",
        ("What is the capital of France?", "The capital of France is Paris."),
        ("Please tell me how to reset my password.", "Tell me how to reset my password."),
    ),
    "structure": Explanation(
        "The turns make no conversation: nobody answers, a role is unknown, or one speaks twice.",
        ("Can I return this?", "Yes, within thirty days of the purchase."),
        ("Can I return this?", ""),
    ),
    "role_bleed": Explanation(
        "The answer holds the mark of another speaker, as if the chat went on inside it.",
        ("Can I return this?", "Yes, within thirty days: bring the receipt."),
        ("Can I return this?", "Yes, you can.\nUser: And without a receipt?"),
    ),
}
