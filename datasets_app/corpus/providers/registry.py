"""The kinds of providers. An app to the right may add its own with `register`."""

from __future__ import annotations

from pkgutil import resolve_name

from datasets_app.corpus.providers.provider import Complete, Kind

BUILT_IN = "builtin"
HERE = "datasets_app.corpus.providers"


def openai_library() -> Complete:
    """Import the function that speaks to OpenAI and whoever speaks like it."""
    function: Complete = resolve_name(f"{HERE}.openai_kind:complete")
    return function


def anthropic_library() -> Complete:
    """Import the function that speaks to Anthropic."""
    function: Complete = resolve_name(f"{HERE}.anthropic_kind:complete")
    return function


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            name="openai",
            label="OpenAI",
            sentence="Models of OpenAI, with a key of an account there.",
            load=openai_library,
            base_url="https://api.openai.com/v1",
            model="gpt-5.4-mini",
        ),
        Kind(
            name="claude",
            label="Anthropic",
            sentence="Models of Anthropic, with a key of an account there.",
            load=anthropic_library,
            base_url="https://api.anthropic.com",
            model="claude-haiku-5-5",
        ),
        Kind(
            name="gemini",
            label="Gemini",
            sentence="Models of Google, at the address where they speak like OpenAI's.",
            load=openai_library,
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            model="gemini-flash-latest",
        ),
        Kind(
            name="ollama",
            label="Ollama",
            sentence="Models that Ollama runs on this machine or in your network.",
            load=openai_library,
            base_url="http://127.0.0.1:11434/v1",
            model="llama3.2",
            needs_key=False,
            is_inside=True,
        ),
        Kind(
            name="vllm",
            label="vLLM",
            sentence="Models that a vLLM server in your network runs.",
            load=openai_library,
            base_url="http://127.0.0.1:8000/v1",
            needs_key=False,
            is_inside=True,
        ),
        Kind(
            name="other",
            label="Another that speaks like OpenAI",
            sentence="Any address with /chat/completions, also that of another OTTO.",
            load=openai_library,
            needs_key=False,
        ),
    )
}


def register(kind: Kind) -> None:
    """Add a kind of an app to the right, in its `ready`; a second time changes nothing."""
    KINDS.setdefault(kind.name, kind)


def kind_of(name: str) -> Kind | None:
    """Return a kind; providers that are stored may name one that is gone."""
    return KINDS.get(name)
