"""Deployments and exports: each view's ladder, the check that is awaited, going back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from chat_app.forms.deployments import ALIAS
from chat_app.models import Deployment, DeploymentEvent, Generation, ServingExport
from chat_app.selectors.names import free_alias
from chat_app.services import deployments
from chat_app.serving.errors import ServingError
from otto_web.lib.models import AuditEntry
from tests.chat_app.makers import add_chat, make_export, make_model, make_served
from training_app.models import Export, ModelState
from training_app.services.trained_models import ModelInUseError, delete_model

HTMX = {"HTTP_HX_REQUEST": "true"}
PAGES = ["deployment-list", "deployment-new"]
POSTS = ["deployment-switch", "deployment-logging", "deployment-retire"]
EXPORTS = ["model-exports", "model-export-download", "model-export-order"]


@pytest.fixture
def served(db):
    return make_served()


@pytest.fixture
def second(db):
    return make_model(number=2)


@pytest.mark.parametrize("name", PAGES)
def test_a_trainer_opens_a_page_and_htmx_gets_its_fragment(name, served, theo, client_of):
    whole = client_of(theo).get(reverse(name))
    part = client_of(theo).get(reverse(name), **HTMX)
    assert (b"<html" in whole.content, b"<html" in part.content) == (True, False)


@pytest.mark.parametrize("name", [*PAGES, "deployment-detail", *POSTS])
def test_a_curator_is_refused_and_a_visitor_signs_in_first(name, served, cora, client, client_of):
    url = reverse(name, args=[] if name in PAGES else ["support"])
    for visitor, status in ((client_of(cora), 403), (client, 302)):
        send = visitor.post if name in POSTS else visitor.get
        assert send(url).status_code == status
    assert "trainer" in client_of(cora).get(reverse("deployment-list")).content.decode()


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_for_trainers_and_of_models_that_are_there(name, served, cora, theo, client_of):
    for person, model, status in ((cora, served.model.pk, 403), (theo, uuid4(), 404)):
        client = client_of(person)
        send = client.post if name == "model-export-order" else client.get
        more = ["onnx"] if name == "model-export-download" else []
        assert send(reverse(name, args=[model, *more])).status_code == status


@pytest.mark.parametrize("name", ["deployment-detail", *POSTS])
def test_a_deployment_that_is_not_there_is_404(name, db, theo, client_of):
    client = client_of(theo)
    send = client.get if name == "deployment-detail" else client.post
    assert send(reverse(name, args=["nobody"])).status_code == 404


@pytest.mark.parametrize("name", POSTS)
def test_changes_are_no_links(name, served, theo, client_of):
    assert client_of(theo).get(reverse(name, args=["support"])).status_code == 405


@pytest.mark.slow
def test_a_deployed_model_shows_its_proof_until_it_answers(db, theo, second, client_of):
    client = client_of(theo)
    page = client.get(reverse("deployment-new"), {"model": str(second.pk)})
    assert "the same answers as the model did" in page.text
    assert page.context["form"]["model"].value() == second.pk
    body = {"model": second.pk, "alias": "help-desk", "is_logging": "on"}
    url = client.post(reverse("deployment-new"), body).url
    page = client.get(url).content.decode()
    assert "It waits for a worker." in page
    assert 'hx-trigger="every 2s"' in page
    assert "HX-Refresh" not in client.get(url, **HTMX)
    export = ServingExport.objects.get()
    ServingExport.objects.filter(pk=export.pk).delete()
    deployments.switch_waiting(make_export(second))
    answer = client.get(url, **HTMX)
    part = answer.content.decode()
    assert "every 2s" not in part
    assert answer["HX-Refresh"] == "true"  # so that the button to chat with it comes
    assert ("1.4e-06" in part, "2,048 equal" in part, "1,241 tok/s" in part) == (True,) * 3


@pytest.mark.slow
@pytest.mark.parametrize("alias", ["", "Support", "a b", "new", "-a", "a--b", "support", "x" * 61])
def test_a_name_that_cannot_be_is_refused_with_a_sentence(alias, served, second, theo, client_of):
    body = {"model": second.pk, "alias": alias}
    for headers in ({}, HTMX):
        answer = client_of(theo).post(reverse("deployment-new"), body, **headers)
        assert answer.status_code == 422
        assert "errorlist" in answer.content.decode()
    assert Deployment.objects.count() == 1


def test_who_deploys_under_a_name_that_was_taken_this_moment_takes_nothing_over(
    served, second, theo
):
    with pytest.raises(deployments.AliasTakenError, match="“support” is there already"):
        deployments.deploy(second, "support", by=theo, takes_over=False)
    served.refresh_from_db()
    assert served.next_model is None


def test_a_free_name_is_an_address(served):
    wanted = ("support", "Support!", "new", "a__b -- c", "数据", "x" * 90)
    names = [free_alias(name) for name in wanted]
    assert names == ["support-2", "support-2", "new-2", "a-b-c", "model", "x" * 50]
    for name in names:
        ALIAS(name)


@pytest.mark.slow
def test_the_name_that_the_form_proposes_can_be_sent_as_it_is(db, theo, client_of):
    client = client_of(theo)
    wanted = ("ecommerce-v-0-1-07m", "ecommerce-v-0-1-07m-2")  # the first is taken then
    for number, expected in enumerate(wanted, 1):
        model = make_model("ecommerce_v_0_1 0.7M", number=number)
        form = client.get(reverse("deployment-new"), {"model": str(model.pk)}).context["form"]
        assert form["alias"].value() == expected
        body = {"model": model.pk, "alias": expected, "is_logging": "on"}
        assert client.post(reverse("deployment-new"), body).status_code == 302


def test_a_model_of_plain_text_cannot_be_chosen(db, theo, client_of):
    plain = make_model("plain", is_chat=False)
    page = client_of(theo).get(reverse("deployment-new"))
    assert "Nothing can answer yet" in page.content.decode()
    body = {"model": plain.pk, "alias": "plain"}
    assert client_of(theo).post(reverse("deployment-new"), body).status_code == 422


@pytest.mark.slow
def test_another_model_takes_over_once_checked_and_one_click_goes_back(
    served, second, theo, client_of
):
    client, url = client_of(theo), reverse("deployment-switch", args=["support"])
    first = served.model_id
    page = client.post(url, {"model": second.pk}, follow=True).content.decode()
    assert "support-3m 1</bdi> goes on" in page
    ServingExport.objects.filter(model=second).delete()
    deployments.switch_waiting(make_export(second))
    served.refresh_from_db()
    assert (served.model_id, served.next_model_id) == (second.pk, None)
    page = client.get(reverse("deployment-detail", args=["support"])).content.decode()
    assert "Roll back to support-3m 1" in page
    client.post(url, {"model": first})
    served.refresh_from_db()
    assert served.model_id == first
    assert DeploymentEvent.objects.filter(deployment=served).count() == 3
    assert AuditEntry.objects.filter(verb="deploy").count() == 2


@pytest.mark.checklist(200)
def test_a_failed_proof_says_why_and_the_old_model_goes_on(served, second, theo, client_of):
    deployments.deploy(second, "support", by=theo)
    ServingExport.objects.filter(model=second).update(
        state="failed",
        finished_at=timezone.now(),
        message="The serving file does not answer as PyTorch does.",
    )
    page = client_of(theo).get(reverse("deployment-detail", args=["support"])).content.decode()
    assert "was not taken" in page
    assert "does not answer as PyTorch does" in page
    assert "goes on answering" in page
    client_of(theo).post(reverse("deployment-switch", args=["support"]), {"model": second.pk})
    assert ServingExport.objects.get(model=second).state == "queued"


@pytest.mark.checklist(208)
def test_the_log_is_switched_per_deployment(served, theo, client_of):
    url = reverse("deployment-logging", args=["support"])
    client_of(theo).post(url, {"logging": "0"})
    served.refresh_from_db()
    assert not served.is_logging
    assert AuditEntry.objects.get(verb="set logging").before == {"is_logging": True}
    page = client_of(theo).post(url, {"logging": "1"}, follow=True)
    assert "Answers given from now on are logged." in page.content.decode()


def test_a_retired_name_keeps_its_chats_and_can_come_back(served, theo, mia, client_of):
    add_chat(served, mia, [("Hello?", "Hello.")])
    page = client_of(theo).get(reverse("deployment-detail", args=["support"])).content.decode()
    assert "1 chat and" in page
    client_of(theo).post(reverse("deployment-retire", args=["support"]))
    served.refresh_from_db()
    assert (served.is_active, served.chats.count()) == (False, 1)
    deployments.deploy(served.model, "support", by=theo)
    served.refresh_from_db()
    assert served.is_active


def test_a_retired_name_is_silent_until_the_model_that_brings_it_back_is_proved(
    served, second, theo, client_of
):
    deployments.retire(served, by=theo)
    client, url = client_of(theo), reverse("deployment-switch", args=["support"])
    page = client.post(url, {"model": second.pk}, follow=True).content.decode()
    served.refresh_from_db()
    assert (served.is_active, served.next_model) == (False, second)
    assert ("being checked" in page, "support-3m 1</bdi> goes on" in page) == (True, False)
    ServingExport.objects.filter(model=second).delete()
    deployments.switch_waiting(make_export(second))
    served.refresh_from_db()
    assert (served.is_active, served.model) == (True, second)


def test_a_model_on_its_way_to_a_name_cannot_be_deleted_and_a_deleted_one_takes_none(
    served, second, theo
):
    with CaptureQueriesContext(connection) as asked:
        deployments.deploy(second, "support", by=theo)
    locks = [one["sql"] for one in asked if one["sql"].endswith("FOR NO KEY UPDATE")]
    assert any("training_app_trainedmodel" in sql for sql in locks), "it could be deleted meanwhile"
    with pytest.raises(ModelInUseError, match="it is about to answer as “support”"):
        delete_model(second, actor=theo)
    third = make_model(number=3)
    delete_model(third, actor=theo)
    with pytest.raises(ServingError, match="was deleted meanwhile"):
        deployments.deploy(third, "support", by=theo)
    assert not ServingExport.objects.filter(model=third).exists()
    Deployment.objects.update(next_model=third)  # as an older OTTO may have left it
    deployments.switch_waiting(make_export(third))
    served.refresh_from_db()
    assert (served.model, served.next_model) == (served.export.model, None)
    assert served.model != third


def test_a_model_is_deleted_once_it_answers_nowhere_any_more(served, second, theo, mia, client_of):
    first = served.model
    chat = add_chat(served, mia, [("Hello?", "Hello.")])
    with pytest.raises(ModelInUseError, match="“support” answers with it"):
        delete_model(first, actor=theo)
    make_export(second)
    deployments.deploy(second, "support", by=theo)
    writing = Generation.objects.filter(answer__chat=chat)
    writing.update(state="queued", finished_at=None)
    with pytest.raises(ModelInUseError, match="it is writing an answer"):
        delete_model(first, actor=theo)
    writing.update(state="succeeded", finished_at=timezone.now())
    delete_model(first, actor=theo)
    first.refresh_from_db()
    assert first.state == ModelState.DELETED
    page = client_of(theo).get(reverse("deployment-detail", args=["support"])).content.decode()
    assert "Roll back" not in page


def test_a_model_that_was_refused_at_its_proof_can_be_deleted(served, second, theo, client_of):
    deployments.deploy(second, "support", by=theo)
    over = {"state": "failed", "finished_at": timezone.now(), "message": "It differs."}
    ServingExport.objects.filter(model=second).update(**over)
    delete_model(second, actor=theo)
    page = client_of(theo).get(reverse("deployment-detail", args=["support"])).content.decode()
    assert "Check it again" not in page


def test_a_switch_without_a_model_says_so(served, second, theo, client_of):
    url = reverse("deployment-switch", args=["support"])
    assert client_of(theo).post(url, {"model": "nonsense"}).status_code == 422


@pytest.mark.checklist(197)
def test_an_export_is_ordered_once_and_shows_how_it_stands(served, theo, client_of):
    client = client_of(theo)
    for _ in range(2):
        client.post(reverse("model-export-order", args=[served.model_id]), {"format": "onnx"})
    export = Export.objects.get()
    url = reverse("model-exports", args=[served.model_id])
    assert "Waits for a worker." in client.get(url).content.decode()
    Export.objects.update(
        state="failed", finished_at=timezone.now(), message="The ONNX file differs from torch."
    )
    assert "The ONNX file differs from torch." in client.get(url).content.decode()
    client.post(reverse("model-export-order", args=[served.model_id]), {"format": "onnx"})
    export.refresh_from_db()
    assert export.state == "queued"


@pytest.mark.checklist(197, 198)
def test_a_checked_export_is_downloaded_as_a_zip(served, theo, client_of, data_dir):
    folder = data_dir / "exports" / "one"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"graph")
    Export.objects.create(
        model=served.model, format="onnx", state="succeeded", finished_at=timezone.now(),
        path="exports/one", parity_max=2e-6,
        figures={"prompts": 4, "greedy_tokens": 64}, sha256="a" * 64,
    )  # fmt: skip
    page = client_of(theo).get(reverse("model-exports", args=[served.model_id]))
    assert "64 equal" in page.content.decode()
    answer = client_of(theo).get(reverse("model-export-download", args=[served.model_id, "onnx"]))
    assert b"".join(answer.streaming_content).startswith(b"PK")
    assert 'filename="support-3m-1-onnx.zip"' in answer["Content-Disposition"]


@pytest.mark.parametrize("name", ["huggingface", "ghost", ""])
def test_what_is_not_built_cannot_be_ordered(name, served, theo, client_of):
    url = reverse("model-export-order", args=[served.model_id])
    assert client_of(theo).post(url, {"format": name}).status_code == 404
    assert not Export.objects.exists()


def test_formats_that_are_not_there_yet_are_404(served, theo, client_of):
    for name in ("onnx", "ghost"):
        url = reverse("model-export-download", args=[served.model_id, name])
        assert client_of(theo).get(url).status_code == 404


def test_lists_cost_the_same_queries_however_long(
    served, theo, client_of, django_assert_max_num_queries
):
    client = client_of(theo)
    for number in range(2, 6):
        make_served(f"other-{number}", make_model(number=number))
    with django_assert_max_num_queries(5):
        client.get(reverse("deployment-list"))
    with django_assert_max_num_queries(12):
        client.get(reverse("deployment-detail", args=["support"]))


def test_the_model_page_and_the_rail_lead_here(served, theo, client_of):
    model = served.model_id
    page = client_of(theo).get(reverse("model-detail", args=[model])).content.decode()
    assert f'href="{reverse("model-exports", args=[model])}"' in page
    assert f'href="{reverse("deployment-list")}"' in page


def test_the_page_says_in_what_precision_it_answers_and_lets_one_choose(db, theo, client_of):
    made = make_served()
    gate = "On 580 tokens of 32 validation replies 8-bit weights choose the same token"
    figures = {"sizes": {"fp32": 540_195_806, "row-int8": 166_151_791}, "gate": gate}
    ServingExport.objects.update(precision="row-int8", figures=figures)
    client, url = client_of(theo), reverse("deployment-detail", args=["support"])
    text = client.get(url).text
    assert "166 MB" in text
    assert "540 MB" in text
    assert gate in text
    order = reverse("model-export-order", args=[made.model_id])
    answer = client.post(order, {"format": "serving", "precision": "fp32"})
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.export.precision, made.next_model) == ("row-int8", made.model)
    assert ServingExport.objects.get(precision="fp32").state == "queued"
    ServingExport.objects.filter(precision="fp32").delete()
    ServingExport.objects.update(precision="fp32")  # refused: there is nothing to choose
    assert "Try weights of 8 bits" not in client.get(url).text
    ServingExport.objects.update(figures={})  # made before 8 bits were tried
    assert "Try weights of 8 bits" in client.get(url).text
