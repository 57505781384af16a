"""The way from the log back into a dataset: what is added, what is masked, what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.urls import reverse

from chat_app.models import ABSTAINED, Generation, LogEntry, Message, Rating
from chat_app.services import chats, corrections
from datasets_app.models import Conversation, Dataset
from datasets_app.services.datasets import create_dataset, delete_dataset
from otto_web.loop.services import harvest
from tests.chat_app.makers import add_chat, make_served
from tests.chat_app.views.test_logs import EXCHANGES, HTMX, answers
from tests.waiting import somebody_waits_for_a_lock, until
from training_app.lm.config import ABSTENTION


@pytest.fixture
def served(db):
    return make_served()


@pytest.fixture
def logged(served, mia):
    return add_chat(served, mia, EXCHANGES, is_logged=True)


@pytest.fixture
def rated(logged, mia):
    for answer in answers(logged):
        chats.rate(answer, 1, by=mia)
    return logged


def add(client, query="", **body):
    url = f"{reverse('log-harvest')}?{query}"
    return client.post(url, {"scope": "matching", "new_name": "From chats"} | body)


def test_members_are_refused_and_visitors_sign_in_first(logged, mia, client, client_of):
    for visitor, status in ((client_of(mia), 403), (client, 302)):
        assert visitor.post(reverse("log-harvest")).status_code == status


def test_adding_is_no_link(logged, cora, client_of):
    assert client_of(cora).get(reverse("log-harvest")).status_code == 405


@pytest.mark.slow
@pytest.mark.checklist(209, 220)
def test_exchanges_become_judged_conversations_without_personal_data(rated, cora, client_of):
    page = add(client_of(cora), previewed=3)
    dataset = Dataset.objects.get(name="From chats")
    assert page.status_code == 302
    texts = "\n".join(dataset.conversations.values_list("text", flat=True))
    assert "<EMAIL_1>" in texts
    assert "<PHONE_1>" in texts
    assert "<CARD_1>" in texts
    assert not any(word in texts for word in ("anna", "901820", "4111"))
    row = dataset.conversations.get(text__contains="my badge")
    assert [turn["role"] for turn in row.turns] == ["user", "assistant"]
    assert (row.origin, len(row.origin_key)) == ("chat", 64)
    entry = LogEntry.objects.get(conversation=row)
    assert entry.reviewed_by == cora
    said = client_of(cora).get(reverse("log-list")).content.decode()
    assert (
        reverse("dataset-detail", args=[dataset.pk]) in page.client.get(page.url).content.decode()
    )
    assert reverse("conversation-detail", args=[dataset.pk, row.pk]) in said


def test_a_poor_answer_is_set_aside_by_the_rules(served, mia, cora, client_of):
    chat = add_chat(served, mia, [("How do I get there?", "How do I get there?")], is_logged=True)
    chats.rate(answers(chat)[0], 1, by=mia)
    add(client_of(cora), previewed=1)
    assert "echo" in Conversation.objects.get().reasons


@pytest.mark.slow
def test_only_answers_that_somebody_rated_good_go_into_the_data(logged, cora, mia, client_of):
    client = client_of(cora)
    assert "None of these answers is rated good" in add(client, previewed=3).content.decode()
    assert not Dataset.objects.exists()
    good, bad, _ = answers(logged)
    chats.rate(good, -1, by=mia)
    for answer, rating in ((good, "up"), (bad, "down")):
        client.post(reverse("log-rate", args=[answer.pk]), {"rating": rating})
    page = add(client, previewed=3)
    assert "2 were left out: not rated good" in client.get(page.url).content.decode()
    row = Conversation.objects.get()
    assert (row.origin_key, row.status) == (harvest.origin_key(good.pk), "kept")


@pytest.mark.slow
def test_that_nothing_is_known_is_no_answer_however_good_it_is_to_say_so(
    rated, cora, mia, client_of
):
    client = client_of(cora)
    first, second, third = answers(rated)
    Generation.objects.filter(answer=first).update(finish=ABSTAINED)
    Message.objects.filter(pk=second.pk).update(text=ABSTENTION)  # a model wrote it
    assert "1 good answer is in no dataset yet" in client.get(reverse("home")).content.decode()
    page = add(client, previewed=3)
    said = client.get(page.url).content.decode()
    assert "1 exchange added." in said
    assert "2 were left out: they say that nothing is known." in said
    assert Conversation.objects.get().origin_key == harvest.origin_key(third.pk)
    Rating.objects.filter(message=third).delete()
    assert "those of these answers that are rated good say" in add(client, previewed=3).text


def test_a_question_that_leans_brings_the_answer_that_it_leans_on(served, cora, mia, client_of):
    talk = [
        *[("How much is the blue Ridge tent in your shop?", "It is $289.")],
        *[("And in red?", "Red is $309."), ("Is there anything else that I should know?", "No.")],
        *[("Why?", "Nobody asked."), ("And boots?", "$90.")],
    ]
    chat = add_chat(served, mia, talk, is_logged=True)
    Generation.objects.filter(answer=answers(chat)[2]).update(finish=ABSTAINED)
    LogEntry.objects.get(message=answers(chat)[3]).delete()  # nobody may read it
    for answer in answers(chat):
        chats.rate(answer, 1, by=mia)
    add(client_of(cora), previewed=4)
    told = [[turn["text"] for turn in row.turns] for row in Conversation.objects.order_by("pk")]
    assert told == [list(talk[0]), ["It is $289.", *talk[1]], list(talk[4])]
    assert Conversation.objects.get(text__contains="in red").turns[0]["role"] == "assistant"


def test_adding_twice_doubles_nothing(rated, cora, client_of):
    client = client_of(cora)
    add(client, previewed=3)
    page = add(client, previewed=3)
    assert Conversation.objects.count() == 3
    assert Dataset.objects.count() == 1
    assert "3 were there already" in client.get(page.url).content.decode()


def test_selected_rows_alone_are_added_to_a_dataset_that_is_there(rated, cora, client_of):
    dataset = Dataset.objects.create(name="Support")
    first = answers(rated)[0]
    body = {"scope": "selected", "row": [str(first.pk), "no id"], "dataset": dataset.pk}
    answer = client_of(cora).post(reverse("log-harvest"), body, **HTMX)
    assert "1 exchange added." in answer.content.decode()
    assert dataset.conversations.get().origin_key == harvest.origin_key(first.pk)


@pytest.mark.django_db(transaction=True)
def test_a_dataset_that_is_deleted_at_this_moment_is_a_sentence(rated, cora, client_of):
    dataset, client = create_dataset("Support", by=cora), client_of(cora)

    def harvest_in_thread():
        try:
            return add(client, previewed=3, new_name="Support")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            delete_dataset(dataset, by=cora)
            added = other.submit(harvest_in_thread)
            until(somebody_waits_for_a_lock)
        answer = added.result()
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "The dataset “Support” was deleted. Choose another one." in said
    assert 'value="Support"' in said
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"scope": "selected"}, "No exchange is selected"),
        ({"new_name": ""}, "Choose a dataset"),
        ({"previewed": 2}, "3 exchanges match now, 2 did when you looked"),
        ({"scope": "everything"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_added_is_said_and_leaves_nothing_behind(
    body, words, logged, cora, client_of
):
    answer = add(client_of(cora), **body)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Dataset.objects.exists()


@pytest.mark.slow
def test_answers_that_were_cut_are_marked_and_never_added(rated, cora, client_of):
    stopped, cut, whole = answers(rated)
    for answer, finish in ((stopped, "stopped"), (cut, "length")):
        Generation.objects.filter(answer=answer).update(finish=finish)
    curator = client_of(cora)
    page = curator.get(reverse("log-list")).content.decode()
    assert page.count("<strong>stopped</strong>") == 1
    assert page.count("<strong>cut at the longest length</strong>") == 1
    told = curator.get(add(curator, previewed=3).url).content.decode()
    assert "1 exchange added. 2 were left out: stopped, or cut at the longest length." in told
    row = Conversation.objects.get()
    assert LogEntry.objects.get(conversation=row).message == whole
    refused = add(curator, scope="selected", row=[str(cut.pk)], new_name="Cut").content.decode()
    assert "stopped or cut at the longest length. A model would learn" in refused
    assert not Dataset.objects.filter(name="Cut").exists()


@pytest.fixture
def corrected(logged, mia, redis_server):
    """The first answer is rated bad and corrected, the others are rated by nobody."""
    first = answers(logged)[0]
    chats.rate(first, -1, by=mia)
    corrections.correct(first, "Only at the front desk, with your passport in hand.", by=mia)
    return logged


def test_the_corrected_words_are_added_and_never_the_wrong_ones(corrected, cora, client_of):
    add(client_of(cora), previewed=3)
    row = Conversation.objects.get()
    assert "passport in hand" in row.text
    assert "Go to the front desk and show" not in row.text
    assert row.meta["corrected"] == "1"
    assert LogEntry.objects.get(conversation=row).reviewed_by == cora
    add(client_of(cora), previewed=3, dataset=row.dataset_id, new_name="")
    assert Conversation.objects.count() == 1


def test_what_was_added_before_it_was_corrected_is_set_aside(
    rated, mia, cora, client_of, redis_server
):
    add(client_of(cora), previewed=3)
    dataset = Dataset.objects.get()
    corrections.correct(answers(rated)[0], "Only at the front desk, with a passport.", by=mia)
    page = add(client_of(cora), previewed=3, dataset=dataset.pk, new_name="")
    said = page.client.get(page.url).content.decode()
    assert "1 row was set aside: corrected since." in said
    kept = dataset.conversations.exclude(status="excluded").values_list("turns", flat=True)
    told = [turns[-1]["text"] for turns in kept]
    assert "Only at the front desk, with a passport." in told
    assert EXCHANGES[0][1] not in told


def test_a_corrected_answer_counts_whatever_the_one_before_was(corrected, cora):
    Generation.objects.update(finish=ABSTAINED)
    Generation.objects.filter(answer__corrects__isnull=False).update(finish="edited")
    assert LogEntry.objects.visible_to(cora).unused().count() == 1
    dataset = create_dataset("From chats", by=cora)
    done = harvest.add_to_dataset(LogEntry.objects.all(), dataset, by=cora)
    assert (done.added, done.unfit) == (1, 2)
