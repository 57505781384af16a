"""Bodies of OpenAI's API: what is taken, and what is refused by the name of its field."""

from __future__ import annotations

import json

import pytest

from chat_app.forms.api_requests import BadRequestError, body_of, chat_asked, completion_asked
from chat_app.models import Kind

HELLO = {"model": "support", "messages": [{"role": "user", "content": "Hello"}]}


def wished(**body):
    return dict(chat_asked(HELLO | body).exchange.wished)


def test_a_conversation_is_taken_apart():
    asked = chat_asked(
        HELLO
        | {
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Good day."},
                {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                },
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            "user": "somebody",
            "metadata": {"unknown": "fields are ignored"},
        }
    )
    assert asked.exchange.system == "Be kind.\n\nBe brief."
    assert asked.exchange.given == (("user", "Hello"), ("assistant", "Good day."))
    assert asked.exchange.text == "ab"
    assert (asked.is_streamed, asked.with_usage) == (True, True)
    assert asked.exchange.is_logged
    assert not chat_asked(HELLO | {"store": False}).exchange.is_logged


def test_settings_come_under_their_usual_names():
    assert wished() == {}
    sent = {"temperature": 0, "top_p": 0.5, "top_k": 3, "min_p": 0.1, "seed": 7, "stop": "end"}
    assert wished(**sent) == sent | {"stop": ["end"]}
    assert wished(repeat_penalty=1.2) == {"repetition_penalty": 1.2}
    assert wished(max_tokens=9) == wished(max_completion_tokens=9) == {"new_tokens": 9}
    assert wished(max_tokens=100_000) == {"new_tokens": 2_000}
    assert wished(logit_bias={"007": -100}) == {"logit_bias": {"7": -100}}
    assert wished(n=1, tools=[], logprobs=False, temperature=None) == {}
    asked = completion_asked({"model": "support", "prompt": ["Once"], "max_tokens": 5})
    assert (asked.exchange.text, asked.exchange.kind) == ("Once", Kind.COMPLETION)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "0"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_k": 1.5}, "top_k"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"seed": -1}, "seed"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": ""}, "stop"),
        ({"stop": 5}, "stop"),
        ({"stop": "\0"}, "stop"),
        ({"stop": ["\ud800"]}, "stop"),
        ({"logit_bias": {"a": 1}}, "logit_bias"),
        ({"logit_bias": {"1": 101}}, "logit_bias"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "user", "content": "x" * 20_001}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x" * 20_000}] * 6}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_its_name(wrong, param):
    with pytest.raises(BadRequestError) as found:
        chat_asked(HELLO | wrong)
    assert found.value.param == param


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_object_of_json_is_refused(raw):
    with pytest.raises(BadRequestError):
        body_of(raw)
    assert body_of(json.dumps(HELLO).encode()) == HELLO
