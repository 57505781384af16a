"""The pages of pairs and of providers."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.html import strip_tags

from datasets_app.corpus.pairs.recipes import SENT_FOR_PAIRS
from datasets_app.corpus.providers.registry import KINDS
from datasets_app.jobs.generating import generate_pairs
from datasets_app.models import Conversation, Dataset, PairGeneration, Provider
from datasets_app.services import generating
from datasets_app.services.documents import bring_chunks
from datasets_app.services.generating import Options
from otto_web.lib.models import AuditEntry
from tests.datasets_app.makers import support_dataset
from tests.datasets_app.provider_server import GOOD, provider

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server", "data_dir"),
]
KEY = "sk-secret-0123456789"
CHUNKS = (
    b'{"chunks": [{"content": "The shop opens at nine. You may come on any working day you like."},'
    b' {"content": "If you lose your card, call the desk at once."}]}'
)
FORM = {
    "provider": "",
    "questions": "3",
    "patterns": ["permissions", "conditions"],
    "model": "",
    "temperature": "0.7",
    "max_tokens": "2000",
    "do": "make",
    "recipe-TOTAL_FORMS": "1",
    "recipe-INITIAL_FORMS": "0",
    "recipe-0-count": "2",
    "recipe-0-name": "Facts",
    "recipe-0-prompt": "Ask.",
    "recipe-0-system_prompt": "Be brief.",
}
PROVIDER = {
    "kind": "openai",
    "name": "House",
    "base_url": "",
    "key": KEY,
    "model": "",
    "concurrency": "1",
    "per_minute": "1000",
    "budget_tokens": "",
    "connect_seconds": "5",
    "reply_seconds": "5",
    "is_on": "on",
}


@pytest.fixture
def chunks(cora):
    return bring_chunks(support_dataset(cora), "Guide", [("guide_chunks.json", CHUNKS)], by=cora)


@pytest.fixture
def post(client, cora, chunks):
    """Give a function that orders pairs by the form."""
    client.force_login(cora)

    def done(**changes):
        address = reverse("pairs-new", args=[chunks.dataset_id])
        return client.post(address, {**FORM, "chunk_set": str(chunks.pk), **changes})

    return done


def words_of(answer):
    return " ".join(strip_tags(answer.content.decode()).split())


def done_order():
    order = PairGeneration.objects.latest("created_at")
    while not order.is_over:
        generate_pairs(order.pk)
        order.refresh_from_db()
    return order


@pytest.mark.checklist(289, 296, 304)
def test_pairs_are_made_watched_and_read_beside_their_chunk(client, post, chunks):
    page = words_of(client.get(reverse("document-list", args=[chunks.dataset_id])))
    assert "Nothing leaves this machine." in page
    assert "What the built-in generator looks for" in page
    answer = post()
    assert answer.status_code == 302
    assert 'hx-trigger="every 1s"' in client.get(answer["Location"]).content.decode()
    done_order()
    page = words_of(client.get(answer["Location"]))
    assert "2 of 2 turns done" in page
    assert "2 pairs of 6 asked for, 2 new in the table" in page
    assert "What may or must be done 1" in page
    assert "How something is done off" in page
    assert "2 of 2 (100 %)" in page
    row = Conversation.objects.get(text__contains="lose my card")
    body = client.get(
        reverse("conversation-detail", args=[row.dataset_id, row.pk])
    ).content.decode()
    assert "<mark>If you lose your card, call the desk at once.</mark>" in body
    assert "guide_chunk_1" in body
    fragment = client.get(answer["Location"], headers={"hx-request": "true"}).content.decode()
    assert fragment.lstrip().startswith('<section id="pair-order"')


@pytest.mark.checklist(290)
def test_pairs_land_in_a_dataset_by_its_name(client, post, chunks):
    answer = post(into="Guide pairs")
    done_order()
    made = Dataset.objects.get(name="Guide pairs")
    assert (
        reverse("dataset-detail", args=[made.pk]) in client.get(answer["Location"]).content.decode()
    )
    post(into="Guide pairs")
    done_order()
    assert made.conversations.count() == 2
    assert not Conversation.objects.filter(dataset=chunks.dataset, origin="document").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"questions": "0"}, "greater than or equal to 1"),
        ({"patterns": []}, "Switch at least one pattern on."),
        ({"chunk_set": "x"}, "not"),
        ({"temperature": "9"}, "less than or equal to 2"),
    ],
)
def test_a_form_that_cannot_be_is_shown_again(post, changes, words):
    answer = post(**changes)
    assert answer.status_code == 422
    assert words in words_of(answer)
    assert not PairGeneration.objects.exists()


@pytest.mark.checklist(291, 292, 293, 294, 295, 297, 299, 300, 301, 302, 359)
@pytest.mark.parametrize("kind", ["openai", "claude", "gemini", "ollama"])
def test_a_provider_is_added_asked_and_its_failures_are_listed(
    client, post, chunks, ada, cora, settings, kind
):
    settings.OTTO_PROVIDER_HOSTS = ["127.0.0.1"]
    client.force_login(ada)
    with provider("ready", GOOD, "Sorry, no.") as (url, script):
        base = url.removesuffix("/v1") if kind == "claude" else url
        sent = {**PROVIDER, "kind": kind, "base_url": base, "key": KEY * (kind != "ollama")}
        answer = client.post(reverse("provider-new"), sent)
        there = Provider.objects.get()
        page = client.get(answer["Location"]).content.decode()
        assert KEY not in page + str(list(Provider.objects.values()))
        assert ("ends with 6789" if kind != "ollama" else "Key: none") in page
        client.post(answer["Location"], {"do": "test"})
        assert "It answered: ready" in client.get(answer["Location"]).content.decode()
        client.force_login(cora)
        form = client.get(reverse("document-list", args=[chunks.dataset_id]))
        assert "are sent to 127.0.0.1. Nothing else is." in words_of(form)
        for field in (b'name="max_tokens"', b'name="reasoning"'):
            assert field in form.content
        more = {"provider": str(there.pk), "recipe-0-system_prompt": "You are an AI."}
        more |= {"temperature": "0.3", "max_tokens": "300"}
        answer = post(**more, reasoning="on" if kind == "openai" else "")
        order = done_order()
        body = script.asked[1]["body"]
        assert "Ask." in str(body)
        assert (body["model"], body["max_tokens"]) == (KINDS[kind].model, 300)
        assert body["temperature"] == 0.3
        assert ("reasoning_effort" in body) == (kind == "openai")
        assert "thinking" not in body
        page = words_of(client.get(answer["Location"]))
        assert ("300 tokens a reply, thinking first" in page) == (kind == "openai")
        assert "opens like a chat with an assistant" in page
        _failures(client, script, order, answer["Location"])
        if kind == "claude":  # it takes no temperature while it thinks
            post(**more, reasoning="on")
            done_order()
            assert "thinking" in script.asked[-1]["body"]
    assert KEY not in str(list(AuditEntry.objects.values()))


def _failures(client, script, order, address):
    page = words_of(client.get(f"{address}?show=failed"))
    assert "The reply is prose" in page
    failed = order.items.get(state="failed")
    item_address = f"{address}{failed.pk}/"
    page = words_of(client.get(item_address))
    for said in ("Sorry, no.", "user: Ask.", failed.chunk.content[:20], "The reply is prose"):
        assert said in page
    script.replies = [GOOD]
    client.post(item_address)
    assert done_order().state == "succeeded"
    assert {(item.asked, item.achieved) for item in order.items.all()} == {(2, 1)}


def test_pages_say_alike_what_a_provider_is_sent_and_help_says_who_sends_it(
    client, ada, cora, chunks
):
    Provider.objects.create(name="House", kind="openai", base_url="https://e.org", model="m")
    client.force_login(ada)
    listed = words_of(client.get(reverse("provider-list")))
    assert "each question, its answer and the text they came from" in listed
    for page in (
        listed,
        words_of(client.get(reverse("document-list", args=[chunks.dataset_id]))),
        words_of(client.get(reverse("pipeline-new"))),
    ):
        assert SENT_FOR_PAIRS in page
    told = words_of(client.get(reverse("help")))
    assert "Nothing leaves this machine" not in told
    assert "provider of language models" in told


@pytest.mark.checklist(303)
def test_recipes_are_added_on_the_page_or_read_from_a_file(post, chunks, ada):
    answer = post(do="add")
    assert answer.status_code == 200
    assert "Recipe 2" in words_of(answer)
    there = Provider.objects.create(
        name="House", kind="openai", base_url="https://e.org", model="m"
    )
    definition = SimpleUploadedFile(
        "guide-definition.yaml",
        b"model_system_prompt: Be exact.\ntraining_prompts:\n"
        b"- {prompt: Ask for facts., num_questions: 4}\n- {prompt: Ask why.}\n",
    )
    assert post(provider=str(there.pk), definition=definition).status_code == 302
    order = PairGeneration.objects.get()
    assert [(one["prompt"], one["questions"]) for one in order.recipes] == [
        ("Ask for facts.", 4),
        ("Ask why.", 3),
    ]
    second = {"name": "Why", "prompt": "Ask why.", "system_prompt": "Be exact.", "count": "5"}
    two = {f"recipe-1-{name}": value for name, value in second.items()}
    post(provider=str(there.pk), **two, **{"recipe-TOTAL_FORMS": "2"})
    order = PairGeneration.objects.latest("created_at")
    columns = ("name", "prompt", "questions", "system_prompt")
    assert [tuple(one[name] for name in columns) for one in order.recipes] == [
        ("Facts", "Ask.", 2, "Be brief."),
        ("Why", "Ask why.", 5, "Be exact."),
    ]
    broken = SimpleUploadedFile("x.yaml", b"a: [")
    assert "no YAML or JSON" in words_of(post(provider=str(there.pk), definition=broken))


def test_who_may_not_sees_nothing_and_deeds_of_the_wrong_kind_change_nothing(
    client, client_of, post, chunks, mia, cora, theo
):
    post()
    order = PairGeneration.objects.get()
    mine = [
        reverse("pairs-new", args=[chunks.dataset_id]),
        reverse("pairs-detail", args=[chunks.dataset_id, order.pk]),
    ]
    for address in mine:
        assert client_of(mia).get(address).status_code == 403
        assert client.get(address).status_code == 200
        assert client.delete(address).status_code == 405
    for name in ("provider-list", "provider-new"):
        assert client_of(theo).get(reverse(name)).status_code == 403
    other = support_dataset(cora)
    assert client.get(reverse("pairs-detail", args=[other.pk, order.pk])).status_code == 404
    client.post(mine[1], {"do": "stop"})
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert "Continue" in words_of(client.get(mine[1]))
    client.post(mine[1], {"do": "retry"})
    assert done_order().state == "succeeded"


def test_a_provider_of_an_unknown_place_is_refused_and_one_that_was_used_stays_as_a_name(
    client, ada, chunks
):
    client.force_login(ada)
    for changes, words in (
        ({"base_url": "http://10.0.0.1/v1"}, "an address of an internal network"),
        ({"key": ""}, "OpenAI needs a key."),
        ({"kind": "other", "key": ""}, "enter one"),
    ):
        answer = client.post(reverse("provider-new"), {**PROVIDER, **changes})
        assert answer.status_code == 422
        assert words in words_of(answer)
    used = Provider.objects.create(
        name="Used", kind="openai", base_url="https://e.org", model="m", sealed_key="x"
    )
    generating.order_pairs(chunks, Options(used), by=ada)
    address = reverse("provider-detail", args=[used.pk])
    client.post(address, {"do": "remove"})
    used.refresh_from_db()
    assert (used.is_on, used.sealed_key) == (False, "")
    PairGeneration.objects.all().delete()
    client.post(address, {"do": "remove"})
    assert not Provider.objects.exists()
