"""What pages show of known answers, and how trainers choose them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from chat_app.models import Chat, Deployment, DeploymentEvent, Generation
from chat_app.selectors.chats import possible_starters
from chat_app.selectors.names import free_alias
from chat_app.services.chat_settings import params_of
from chat_app.services.chats import open_chat
from chat_app.services.deployments import deploy
from chat_app.services.knowing import deploy_quotes, set_knowledge
from chat_app.serving.limits import TEMPERATURE
from datasets_app.models import Knowledge
from tests.chat_app.makers import add_chat, make_export, make_model, make_served
from tests.training_app.conftest import make_version, toy_order
from training_app.services.runs import queue_run

pytestmark = pytest.mark.django_db

SOURCE = {
    "kind": "source", "row": 1_000_001, "number": 0, "question": "How much is the <tent>?",
    "answer": "It is $289.", "cosine": 0.91, "words": 0.4,
}  # fmt: skip
TEXT = "☕ The tent costs $319 in <b>Elm Street</b>."


def knowledge_row():
    version = make_version()
    return Knowledge.objects.create(
        version=version, path="knowledge/toy", state="succeeded", finished_at=version.finished_at
    )


@pytest.fixture
def knowledge(db):
    return knowledge_row()


def answered(person, knowledge, *, finish="stop", text=TEXT, **columns):
    """Return a person's chat with one answer from what is known."""
    served = make_served()
    Deployment.objects.filter(pk=served.pk).update(knowledge=knowledge)
    chat = add_chat(served, person, [("How much?", text)], is_logged=True)
    columns = {"knowledge": knowledge, "sources": [SOURCE], "finish": finish} | columns
    Generation.objects.filter(answer__chat=chat).update(**columns)
    return chat


def page_of(client, chat):
    return client.get(reverse("chat-detail", args=[chat.pk])).content.decode()


def text_of(page):
    return " ".join(strip_tags(page).split())


def test_an_answer_shows_what_it_was_written_from(mia, client_of, knowledge):
    page = page_of(client_of(mia), answered(mia, knowledge))
    assert "from 1 known answer" in text_of(page)
    assert "How much is the &lt;tent&gt;?" in page
    assert "91% in meaning, 40% of the words" in text_of(page)
    assert "Open the row" not in page


def test_what_was_deleted_is_shown_no_more_and_that_is_said(mia, theo, client_of, knowledge):
    chat = answered(mia, knowledge, prompt_ids=[1, 2, 3])
    offered = SOURCE | {"kind": "suggestion", "question": "Which suggestion?"}
    Generation.objects.update(sources=[SOURCE, SOURCE | {"row": 1_000_002}, offered])
    Deployment.objects.update(knowledge=None)
    told = text_of(client_of(theo).get(reverse("version-delete", args=[knowledge.pk])).text)
    assert "Chats that were answered from it keep their answers, but not the known answers" in told
    knowledge.version.dataset.versions.get().delete()
    row = Generation.objects.get()
    assert [one["row"] for one in row.sources] == [1_000_001, 1_000_002, 1_000_001]
    assert (row.prompt_ids, row.knowledge) == ([], None)
    page = page_of(client_of(mia), chat)
    assert "from 2 known answers; they were deleted with the version" in text_of(page)
    assert "It is $289." not in page
    assert "Which suggestion?" not in page


def test_curators_get_to_the_row(cora, client_of, knowledge):
    page = page_of(client_of(cora), answered(cora, knowledge))
    row = reverse("conversation-detail", args=[knowledge.version.dataset_id, 1_000_001])
    assert f'href="{row}"' in page


def test_what_stands_in_nothing_known_is_marked_in_the_text(mia, client_of, knowledge):
    start, end = TEXT.index("$319"), TEXT.index("$319") + 4
    place = TEXT.index("<b>")
    marks = [[start, end], [place, place + 3]]
    page = page_of(client_of(mia), answered(mia, knowledge, unsupported=marks))
    page = page.replace("\n      >", ">")  # lines break inside of tags, not in the text
    assert '☕ The tent costs <mark class="unsupported">$319<span class="visually-hidden"> ' in page
    assert '<mark class="unsupported">&lt;b&gt;<' in page
    assert "Underlined: not in what it knows" in text_of(page)


def test_a_plain_answer_shows_nothing_of_it(mia, client_of):
    page = page_of(client_of(mia), answered(mia, None, sources=[]))
    for word in ("known answer", "unsupported", "suggestions"):
        assert word not in page.split("</head>")[1]
    assert "do not rely on facts" in page


def test_what_is_not_known_offers_the_closest_questions(mia, client_of, knowledge):
    chat = answered(mia, knowledge, finish="abstained", sources=[SOURCE | {"kind": "suggestion"}])
    client = client_of(mia)
    page = page_of(client, chat)
    assert 'name="text" value="How much is the &lt;tent&gt;?"' in page
    assert "from 1 known" not in page
    assert "not a model’s words" in page
    idem = page.split('name="idem" value="')[1].split('"')[0]
    answer = client.post(
        reverse("chat-ask", args=[chat.pk]), {"text": SOURCE["question"], "idem": idem}
    )
    assert answer.status_code == 302
    assert chat.messages.filter(role="user", text=SOURCE["question"]).exists()


def test_a_sentence_says_what_was_missing(mia, client_of, knowledge):
    said = "Known answers were found by their words alone. Their encoder is gone."
    assert said in page_of(client_of(mia), answered(mia, knowledge, message=said))


def test_the_log_shows_the_sources(mia, cora, client_of, knowledge):
    answered(mia, knowledge)
    page = client_of(cora).get(reverse("log-list")).content.decode()
    assert "from 1 known answer" in text_of(page)
    assert "$289" in page


@pytest.mark.slow
def test_quotes_are_deployed_without_any_model(theo, client_of, knowledge, mia):
    client = client_of(theo)
    page = client.get(reverse("deployment-new")).content.decode()
    assert "quotes your team’s own answer" in page
    wanted = {"mode": "quote", "knowledge": str(knowledge.pk), "alias": "faq", "is_logging": "on"}
    assert client.post(reverse("deployment-new"), wanted).status_code == 302
    made = Deployment.objects.get()
    assert (made.model, made.knowledge, made.is_answering) == (None, knowledge, True)
    for name in ("deployment-list", "home", "chat-list"):
        assert "the team’s own wording" in client.get(reverse(name)).content.decode(), name
    shown = client.get(reverse("deployment-detail", args=["faq"])).content.decode()
    assert f"quotes {knowledge.version}" in shown
    first, *others = possible_starters(made)
    assert others
    client.post(reverse("deployment-starters", args=["faq"]), {"question": [first]})
    begun = client_of(mia).get(reverse("chat-detail", args=[open_chat(made, owner=mia).pk]))
    assert begun.context["starters"] == [first]
    assert "Questions that it has answers to" in begun.text
    assert (
        "Quotes your team’s own answers"
        in client_of(mia).get(reverse("chat-list")).content.decode()
    )
    chat = add_chat(made, mia, [("How?", "So.")], is_logged=True)
    Generation.objects.filter(answer__chat=chat).update(finish="quoted")
    assert "the team’s own wording" in page_of(client_of(mia), chat)
    assert "the team’s own wording" in client.get(reverse("log-list")).content.decode()


def test_a_version_s_link_fills_the_form_with_its_quotes(theo, client_of, knowledge):
    make_model()
    knowledge_row()  # a newer one
    address = reverse("deployment-new")
    page = client_of(theo).get(f"{address}?knowledge={knowledge.pk}").content.decode()
    for chosen in ("quote", str(knowledge.pk)):
        assert f'<option value="{chosen}" selected>' in page
    assert '<option value="" selected>none: it quotes</option>' in page
    assert "(optional)" not in page
    name = free_alias(knowledge.version.dataset.name)
    assert f'name="alias" value="{name}"' in page
    for strange in ("x", "00000000-0000-0000-0000-000000000000"):
        page = client_of(theo).get(f"{address}?knowledge={strange}").content.decode()
        assert '<option value="write" selected>' in page


def test_a_base_model_gets_the_newest_known_answers_and_is_not_praised(
    theo, mia, client_of, knowledge
):
    base = make_model(name="base")
    newest = knowledge_row()
    page = client_of(theo).get(f"{reverse('deployment-new')}?model={base.pk}").content.decode()
    assert f'<option value="{newest.pk}" selected>' in page
    page = text_of(page_of(client_of(mia), answered(mia, knowledge)))
    assert "was never trained to answer from them: do not rely on it" in page


def test_a_chat_keeps_what_was_chosen_and_no_usual_settings(mia, client_of, knowledge):
    chat, client = answered(mia, knowledge), client_of(mia)
    client.post(reverse("chat-ask", args=[chat.pk]), {"text": "And?", "idem": uuid4()})
    assert Generation.objects.get(state="queued").params["temperature"] == 0
    assert Chat.objects.get().params == {}
    form = {"temperature": 0, "top_p": 0.9, "top_k": 40, "new_tokens": 200}
    client.post(reverse("chat-settings", args=[chat.pk]), form)
    assert Chat.objects.get().params == {"top_k": 40}
    Deployment.objects.update(knowledge=None)
    assert params_of(Chat.objects.get()).temperature == TEMPERATURE.usual


def test_words_alone_are_said_to_tell_little_where_they_answer(theo, client_of, knowledge):
    deploy_quotes(knowledge, "faq", by=theo)
    address, client = reverse("deployment-detail", args=["faq"]), client_of(theo)
    said = "Of 40 strange questions to the bundled sample 26 did"
    page = text_of(client.get(address).content.decode())
    assert said in page
    assert f"{knowledge.version} (found by words alone)" in page
    Knowledge.objects.update(facts={"encoder": {"name": "toy"}})
    page = text_of(client.get(address).content.decode())
    assert said not in page
    assert "found by words alone" not in page


def test_other_known_answers_are_no_switch_of_models(theo, client_of, knowledge):
    served = make_served()
    set_knowledge(served, knowledge, "write", by=theo)
    other = make_model(name="other")
    Deployment.objects.update(model=other, export=make_export(other))
    page = client_of(theo).get(reverse("deployment-detail", args=["support"])).content.decode()
    assert page.count('<button class="button" name="model"') == 1
    assert f"writes from {knowledge.version}" in text_of(page)


def test_facts_are_not_drawn_by_lot(mia, knowledge):
    chat = Chat.objects.get(pk=answered(mia, knowledge).pk)
    assert params_of(chat).temperature == 0
    assert params_of(chat, temperature=0.4, new_tokens=9).temperature == 0.4
    chat.params = {"temperature": 0.9}
    assert params_of(chat).temperature == 0.9
    Deployment.objects.update(knowledge=None)
    assert params_of(Chat.objects.get()).temperature == TEMPERATURE.usual


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"knowledge": ""}, "Choose the known answers that it quotes."),
        ({"knowledge": "none"}, "Choose the known answers that it quotes."),
        ({"knowledge": "00000000-0000-0000-0000-000000000000"}, "not one of the available"),
        ({"mode": "write"}, "Choose the model that writes."),
        ({"alias": "new"}, "Use small letters"),
    ],
)
def test_a_form_that_says_too_little_keeps_what_was_chosen(
    theo, client_of, knowledge, changes, sentence
):
    make_model()
    wanted = {"mode": "quote", "knowledge": str(knowledge.pk), "alias": "faq"} | changes
    answer = client_of(theo).post(reverse("deployment-new"), wanted)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Deployment.objects.exists()


def test_another_version_is_chosen_without_training(theo, client_of, knowledge):
    deploy_quotes(knowledge, "faq", by=theo)
    newer = knowledge_row()
    address = reverse("deployment-knowledge", args=["faq"])
    client = client_of(theo)
    answer = client.post(address, {"mode": "quote", "knowledge": str(newer.pk)})
    assert answer.status_code == 302
    assert Deployment.objects.get().knowledge == newer
    assert DeploymentEvent.objects.order_by("-pk").first().detail == f"quotes {newer.version}"
    refused = client.post(address, {"mode": "write", "knowledge": str(newer.pk)})
    assert refused.status_code == 422
    assert "No model writes under this name yet" in refused.content.decode()
    assert client.post(address, {"mode": "quote", "knowledge": "none"}).status_code == 422


def test_a_version_that_answers_is_not_deleted(theo, cora, client_of, knowledge):
    deploy_quotes(knowledge, "faq", by=theo)
    address = reverse("version-delete", args=[knowledge.pk])
    answer = client_of(cora).post(address, follow=True)
    assert "is in use and cannot be deleted: 1 × deployment" in text_of(answer.content.decode())
    assert Knowledge.objects.filter(pk=knowledge.pk).exists()


def test_the_knowledge_of_a_deployment_is_a_trainer_s_to_choose(
    knowledge, client, client_of, theo, cora
):
    deploy_quotes(knowledge, "faq", by=theo)
    address = reverse("deployment-knowledge", args=["faq"])
    assert client.post(address).status_code == 302
    assert client_of(cora).post(address).status_code == 403
    assert client_of(theo).get(address).status_code == 405
    gone = reverse("deployment-knowledge", args=["nobody"])
    assert client_of(theo).post(gone).status_code == 404


def test_a_model_takes_its_own_knowledge_along(theo, knowledge):
    run = queue_run(toy_order(knowledge.version), created_by=theo)
    run.spec["data"]["sources"] = 3
    run.save(update_fields=["spec"])
    assert deploy(make_model(run=run), "support", by=theo).knowledge == knowledge
    assert deploy(make_model(number=2), "plain", by=theo).knowledge is None
