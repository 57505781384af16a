"""Chunks become pairs of a dataset, whoever dies on the way and whatever a provider answers."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from datasets_app.corpus.chunks.settings import HEADINGS, Settings
from datasets_app.corpus.pairs.recipes import Recipe
from datasets_app.corpus.providers.transport import SENT
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.jobs.generating import generate_pairs
from datasets_app.models import Conversation, GenerationItem, Pair, PairGeneration, Provider
from datasets_app.services import documents, generating, providers
from datasets_app.services.generating import GenerationError, Options
from datasets_app.services.providers import ProviderRefusedError, ProviderSettings
from tests.datasets_app.provider_server import GOOD, provider

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[3]
WORKER = """
import sys, django
django.setup()
from datasets_app.jobs.generating import generate_pairs
generate_pairs(sys.argv[1])
"""
KEY = "sk-secret-0123456789"
FOREIGN = (
    *("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY"),
    *("OPENAI_ORG_ID", "OPENAI_PROJECT_ID"),
)
PLAIN = SENT | {"accept-encoding", "user-agent"}
GUIDE = """\
# Hours

The shop opens at nine. You may come on any working day of the week.

# Leave

Annual leave is the paid time off that every employee earns in a year.

# Cards

If you lose your card, call the desk at once.
"""


@pytest.fixture
def chunks(imported, cora):
    """Give a function that uploads a text and cuts it at its headings."""

    def done(text=GUIDE, name="guide.md"):
        upload = imported(name, text.encode(), dataset="Guides")
        order = documents.order_chunks(
            upload.dataset, name, Settings(HEADINGS, 200, overlap=0), upload.files.all(), by=cora
        )
        while not order.is_over:
            chunk_documents(order.pk)
            order.refresh_from_db()
        return order

    return done


@pytest.fixture
def asked(chunks, ada, settings):
    """Give a function that makes pairs with a server of this machine."""
    settings.OTTO_PROVIDER_HOSTS = ["127.0.0.1"]

    def done(base_url, kind="openai", options=None, **more):
        how = {"key": KEY, "concurrency": 2, "per_minute": 100_000, **more}
        wanted = ProviderSettings("House", kind, base_url, "small", **how)
        there = providers.save_provider(wanted, None, by=ada)
        order = generating.order_pairs(chunks(), Options(there, **(options or {})), by=ada)
        return to_the_end(order)

    return done


def to_the_end(order):
    while not order.is_over:
        generate_pairs(order.pk)
        PairGeneration.objects.filter(pk=order.pk).update(not_before=None)
        order.refresh_from_db()
    return order


def test_the_built_in_generator_fills_the_table_and_says_where_each_answer_stands(chunks, cora):
    made = chunks()
    order = to_the_end(generating.order_pairs(made, Options(questions=5), by=cora))
    assert (order.state, order.items.count(), order.by) == ("succeeded", 3, "built-in")
    rows = Conversation.objects.filter(origin="document").order_by("position")
    assert [row.turns[0]["text"] for row in rows] == [
        "What should I know about hours?",
        "May I come on any working day of the week?",
        "What is annual leave?",
        "What should I do if I lose my card?",
    ]
    for row in rows:
        document = row.pair.chunk.document
        assert (
            " ".join(document.text[row.pair.start : row.pair.end].split()) == row.turns[1]["text"]
        )
        assert row.pair.chunk.start <= row.pair.start < row.pair.end <= row.pair.chunk.end
        assert row.source_file_id == document.source_file_id
        assert row.place == row.pair.chunk.place
    assert order.n_new == rows.count() == sum(order.items.values_list("achieved", flat=True))
    again = to_the_end(generating.order_pairs(made, Options(questions=5), by=cora))
    assert (again.state, again.n_new, rows.count()) == ("succeeded", 0, 4)
    few = Options(patterns=("permissions",), questions=1)
    assert to_the_end(generating.order_pairs(made, few, by=cora)).patterns == ["permissions"]


def test_text_about_nothing_ends_in_a_sentence(chunks, cora):
    order = generating.order_pairs(chunks("lorem ipsum, dolor sit amet " * 20), Options(), by=cora)
    order = to_the_end(order)
    assert (order.state, order.message) == ("failed", generating.NOTHING_MADE)
    assert Conversation.objects.filter(origin="document").count() == 0


@pytest.mark.checklist(298)
def test_a_worker_killed_anywhere_five_times_doubles_and_loses_nothing(
    chunks, cora, process_env, failpoint_at, settings
):
    settings.OTTO_BACKOFF_SECONDS = 0
    order = generating.order_pairs(chunks(), Options(questions=5), by=cora)
    points = ("pairs.filled@1", "pairs.written@1", "pairs.kept@1", "imports.mid_copy@1")
    for point in (*points, "imports.mid_copy@3"):
        name, _, number = point.partition("@")
        env = process_env | failpoint_at(name, f"kill@{number}").env
        command = [sys.executable, "-c", WORKER, str(order.pk)]
        worker = subprocess.run(command, env=env, cwd=ROOT, check=False)
        assert worker.returncode == -signal.SIGKILL
        PairGeneration.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    order.refresh_from_db()
    order = to_the_end(order)
    rows = Conversation.objects.filter(origin="document")
    assert (order.state, order.items.filter(state="done").count()) == ("succeeded", 3)
    assert len({row.turns[0]["text"] for row in rows}) == rows.count() == Pair.objects.count() == 4


def test_what_is_no_order_says_why(chunks, cora, ada, settings):
    made = chunks()
    for options, words in (
        (Options(questions=0), "1 to 20"),
        (Options(patterns=()), "pattern"),
        (Options(temperature=3), "Temperature"),
    ):
        with pytest.raises(GenerationError, match=words):
            generating.order_pairs(made, options, by=cora)
    with pytest.raises(ProviderRefusedError, match="OTTO_PROVIDER_HOSTS"):
        providers.save_provider(
            ProviderSettings("Here", "ollama", "http://127.0.0.1:11434/v1", "m"), None, by=ada
        )
    with pytest.raises(ProviderRefusedError, match="https://"):
        providers.save_provider(ProviderSettings("File", "other", "file:///etc", "m"), None, by=ada)
    clear = ProviderSettings("Clear", "openai", "http://93.184.215.14/v1", "m", key=KEY)
    with pytest.raises(ProviderRefusedError, match="Over http:// everybody"):
        providers.save_provider(clear, None, by=ada)
    safe = replace(clear, base_url=clear.base_url.replace("http:", "https:"))
    there = providers.save_provider(safe, None, by=ada)
    with pytest.raises(ProviderRefusedError, match="enter the key"):
        providers.save_provider(replace(clear, key=""), there, by=ada)
    settings.OTTO_PROVIDER_HOSTS = ["93.184.215.0/24"]
    assert providers.save_provider(clear, there, by=ada).base_url == clear.base_url
    documents.remove_chunks(made, by=cora)


@pytest.mark.parametrize("kind", ["openai", "claude", "gemini"])
def test_each_library_sends_key_prompt_and_settings_and_reads_the_reply(asked, kind, monkeypatch):
    for name in FOREIGN:
        monkeypatch.setenv(name, "foreign")
    for name in ("OPENAI", "ANTHROPIC"):
        monkeypatch.setenv(f"{name}_CUSTOM_HEADERS", "x-foreign: foreign\nAuthorization: foreign")
    with provider(f"<think>hm</think>```json\n{GOOD}\n```") as (url, script):
        base = url.removesuffix("/v1") if kind == "claude" else url
        recipes = (Recipe("Facts", "Ask {count} things.", "Be brief.", 1),)
        how = {"recipes": recipes, "temperature": 0.2, "max_tokens": 500}
        order = asked(base, kind, how, concurrency=1)
    assert order.state == "succeeded"
    request = script.asked[0]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    own = ("x-api-key", KEY) if kind == "claude" else ("authorization", f"Bearer {KEY}")
    assert headers.items() - {own} == {(name, headers[name]) for name in headers if name in PLAIN}
    assert headers[own[0]] == own[1]
    assert "foreign" not in str(request)
    assert (request["body"]["temperature"], request["body"]["max_tokens"]) == (0.2, 500)
    assert "Ask 1 things." in str(request["body"])
    assert "Be brief." in str(request["body"])
    item = order.items.first()
    assert (item.asked, item.achieved, item.tokens) == (1, 1, 120)
    assert "Ask 1 things." in item.prompt
    assert item.reply.startswith("<think>")
    pair = Pair.objects.get(item=item)
    assert pair.is_verbatim
    assert pair.chunk.document.text[pair.start : pair.end] == "The shop opens at nine."
    assert Provider.objects.get().used_tokens == 360


def test_what_a_model_does_not_take_is_left_out(asked):
    refusals = [(400, {}, f"Unsupported: {one}") for one in ("max_tokens", "temperature", "?")]
    with provider(*refusals, GOOD) as (url, script):
        order = asked(url, concurrency=1)
    assert order.state == "succeeded"
    sent = set(script.asked[3]["body"])
    assert "max_completion_tokens" in sent
    assert sent.isdisjoint({"max_tokens", "temperature", "response_format"})


def test_replies_that_are_none_are_listed_with_their_words_and_tried_again(asked, ada):
    broken = ("I would\0 rather not.", ('[{"question": "Wh', "length"), "{}")
    with provider(*((200, {}, one) for one in broken), GOOD) as (url, _):
        order = asked(url, concurrency=1)
        assert order.state == "failed"
        told = list(order.items.order_by("pk").values_list("state", "reply", "error"))
        assert [state for state, *_ in told] == ["failed"] * 3
        assert "prose" in told[0][2]
        assert "cut at 2,000 tokens" in told[1][2]
        assert told[0][1] == "I would rather not."
        one = order.items.first()
        assert generating.retry_items(order, by=ada, item=one)
        order = to_the_end(PairGeneration.objects.get())
        assert (order.state, order.items.filter(state="failed").count()) == ("partial", 2)
        assert generating.retry_items(order, by=ada)
        order = to_the_end(PairGeneration.objects.get())
    assert (order.state, order.items.filter(state="done").count()) == ("succeeded", 3)


def test_a_provider_that_is_busy_for_ever_ends_in_a_sentence_and_can_be_continued(asked, ada):
    with provider((429, {"retry-after": "0"}, "Slow down.")) as (url, script):
        order = asked(url, concurrency=1)
        assert order.state == "failed"
        assert "too many requests" in order.message
        assert "Continue when it answers again" in order.message
        assert len(script.asked) == 3 * generating.MOST_ATTEMPTS
        script.replies = [(503, {"retry-after": "0"}, "Soon."), GOOD]
        assert generating.retry_items(order, by=ada)
        order = to_the_end(PairGeneration.objects.get())
    assert (order.state, order.items.filter(state="done").count()) == ("succeeded", 3)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((401, {}, "Bad key."), "does not take the key"),
        ((404, {}, "No model."), "no such address or model"),
        ("endless", "larger than 8 MB"),
        ((200, {}, b"<html>no</html>"), "no reply"),
        ((200, {}, b'{"choices": []}'), "no reply"),
        ((302, {"location": "http://169.254.169.254/"}, ""), "302"),
        ((200, {"content-encoding": "gzip"}, b"bomb"), "packed"),
    ],
)
def test_what_a_provider_answers_instead_of_a_reply_is_a_sentence(asked, reply, words, caplog):
    with provider(reply) as (url, _), caplog.at_level(logging.DEBUG):
        order = asked(url, concurrency=1)
    assert order.state == "failed"
    assert words in (order.message or "") + str(list(order.items.values_list("error", flat=True)))
    assert KEY not in caplog.text
    assert KEY not in str(list(GenerationItem.objects.values()))
    assert KEY not in str(list(Provider.objects.values()))


def test_the_budget_ends_an_order_and_the_test_button_says_what_came(asked, ada):
    with provider(GOOD) as (url, _):
        order = asked(url, concurrency=1, budget_tokens=200)
        assert (order.state, order.reason) == ("partial", "budget")
        assert "200 tokens" in order.message
        there = Provider.objects.get()
        assert (there.key_hint, there.used_tokens) == ("6789", 240)
        assert providers.test_provider(there, by=ada)
        wanted = ProviderSettings("House", "openai", "https://example.com/v1", "small")
        with pytest.raises(ProviderRefusedError, match="enter the key"):
            providers.save_provider(wanted, there, by=ada)
    there.refresh_from_db()
    assert "It answered" in there.test_message
    unlike = {"kind": "other", "model": "large", "base_url": url.replace("/v1", "/v2")}
    for name, value in ({"key": "sk-another-0123456789"} | unlike).items():
        Provider.objects.update(is_working=True, test_message="It answered", base_url=url)
        there.refresh_from_db()
        same = ProviderSettings(there.name, there.kind, url, there.model)
        assert providers.save_provider(same, there, by=ada).is_working
        now = providers.save_provider(replace(same, **{name: value}), there, by=ada)
        assert (now.is_working, now.test_message, now.tested_at) == (None, "", None)
    Provider.objects.update(base_url=url)
    there.refresh_from_db()
    assert not providers.test_provider(there, by=ada)
