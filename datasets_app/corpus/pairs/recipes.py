"""Recipes: what a language model is asked for, how often, and how it is told to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.detection.encoding import clean_text
from datasets_app.corpus.pairs.extractive import MOST_QUESTIONS

MOST_RECIPES, LONGEST_PROMPT = 10, 20_000
LONGEST_SYSTEM_PROMPT, MOST_SYSTEM_WORDS = 2_000, 500
OPENINGS = ("you are an ai", "i am")
DEFAULT_QUESTIONS = 3
ROLE = "You write questions and answers for people who will learn a text by them."
TASK = (
    "Read the passage. Write {count} different questions that somebody who has not read it might "
    "ask, and answer each from the passage alone: copy its sentences word for word, whole. Vary "
    "the questions: what, when, how many, how, why, what if. Each must be clear to a reader "
    "without the passage, so name things instead of saying “it” or “the text”. Write in the "
    "language of the passage. If it holds less, write fewer."
)
FORM = (
    'Answer with JSON and nothing else: an array of {count} objects, each with "question" and '
    '"answer".'
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "qa_pairs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
                "required": ["question", "answer"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["qa_pairs"],
    "additionalProperties": False,
}


class RecipeError(CorpusError):
    """A recipe, or a file of recipes, that cannot be used."""


# what `messages` puts into a request, for people who choose a provider
SENT_FOR_PAIRS = "the words of every chunk, the headings above it and the recipe"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to ask for pairs; `{count}` in its prompt is the number of them.

    `system_prompt` tells the model that writes them what it is.
    """

    name: str = "Questions and answers"
    prompt: str = TASK
    system_prompt: str = ROLE
    questions: int = DEFAULT_QUESTIONS

    def __post_init__(self) -> None:
        if not self.prompt.strip():
            raise RecipeError(f"The recipe “{self.name}” has no prompt.")
        if len(self.prompt) > LONGEST_PROMPT:
            raise RecipeError(f"A prompt may have {LONGEST_PROMPT:,} characters at most.")
        if not 1 <= self.questions <= MOST_QUESTIONS:
            raise RecipeError(f"A recipe asks for 1 to {MOST_QUESTIONS} questions.")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def messages(self, passage: str, headings: Sequence[str] = ()) -> list[dict[str, str]]:
        """Return what is sent for one chunk: its words, the headings above it, and the task."""
        task = self.prompt.replace("{count}", str(self.questions))
        above = f"It stands under: {' / '.join(headings)}\n\n" if headings else ""
        form = FORM.replace("{count}", str(self.questions))
        asked = f"{task}\n\n{above}<passage>\n{passage}\n</passage>\n\n{form}"
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        return [*system, {"role": "user", "content": asked}]


def recipes_from(stored: Sequence[Mapping[str, Any]]) -> list[Recipe]:
    """Return stored recipes; raises RecipeError."""
    if len(stored) > MOST_RECIPES:
        raise RecipeError(f"There may be {MOST_RECIPES} recipes at most.")
    try:
        return [Recipe(**one) for one in stored]
    except TypeError as error:
        raise RecipeError(f"A recipe has a field that is not known: {error}") from error


def system_prompt_warnings(prompt: str) -> list[str]:
    """Return what is odd in a system prompt, a sentence each; empty is the one that is an error."""
    text = prompt.strip()
    if not text:
        return ["The system prompt is empty."]
    found = []
    if len(text) > LONGEST_SYSTEM_PROMPT or len(text.split()) > MOST_SYSTEM_WORDS:
        found.append(
            f"The system prompt has {len(text):,} characters and {len(text.split()):,} words. "
            f"Shorter ones are followed better: {LONGEST_SYSTEM_PROMPT:,} and {MOST_SYSTEM_WORDS} "
            "at most."
        )
    if text.lower().startswith(OPENINGS):
        found.append(
            "The system prompt opens like a chat with an assistant. Say what the answers should be."
        )
    if "<|" in text:
        found.append("“<|” begins the control tokens of many models. It would be read as text.")
    return found


def read_definition(data: str) -> list[Recipe]:
    """Return the recipes of a file beside a document, YAML or JSON; raises RecipeError.

    `model_system_prompt`, and `training_prompts`: objects with `prompt` and `num_questions`.
    """
    try:
        found = yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise RecipeError(f"The recipe file is no YAML or JSON: {error}") from error
    prompts = found.get("training_prompts") if isinstance(found, dict) else None
    if not isinstance(prompts, list) or not prompts:
        raise RecipeError("The recipe file has no list “training_prompts”.")
    system = clean_text(str(found.get("model_system_prompt") or "")).text
    recipes = []
    for number, one in enumerate(prompts, start=1):
        if not isinstance(one, dict) or not isinstance(one.get("prompt"), str):
            raise RecipeError(f"Prompt {number} of the recipe file has no text “prompt”.")
        asked = one.get("num_questions", DEFAULT_QUESTIONS)
        if not isinstance(asked, int) or isinstance(asked, bool):
            raise RecipeError(f"“num_questions” of prompt {number} is no whole number.")
        recipes.append(Recipe(f"Prompt {number}", clean_text(one["prompt"]).text, system, asked))
    return recipes
