"""Pages of test sets, and of how a model did on them and on versions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datasets_app.selectors.versions import trainable_versions
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond
from otto_web.lib.uuids import as_uuid
from training_app.lm.config import TrainingError
from training_app.models import ModelTest, TestSet, TrainedModel
from training_app.selectors.model_tests import TestedReply, TestLine, sets_of_tests, tests_of
from training_app.services.model_tests import (
    SPLITS,
    delete_test_set,
    make_test_set,
    order_test,
)

MOST_VERSIONS = 50  # that can be chosen


@role_required(Role.TRAINER)
@require_GET
def model_test_list(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Show how a model did on every test, and offer another one."""
    model = _model(request, model_id)
    lines = tests_of(model)
    return respond(
        request,
        page="training/model_tests.html",
        fragment="training/_model_tests.html",
        context={
            "model": model,
            "lines": lines,
            "is_moving": any(line.test.is_under_way for line in lines),
            "test_sets": sets_of_tests(request.user),
            "versions": trainable_versions(request.user)[:MOST_VERSIONS],
            "splits": SPLITS,
        },
    )


@role_required(Role.TRAINER)
@require_POST
def model_test_new(request: TeamRequest, model_id: UUID) -> HttpResponse:
    """Order a test: of a set, or of a split of a version."""
    model = _model(request, model_id)
    key, version_key = (as_uuid(request.POST.get(name)) for name in ("test_set", "version"))
    test_set = TestSet.objects.visible_to(request.user).filter(pk=key).first() if key else None
    version = None
    if test_set is None and version_key:
        version = trainable_versions(request.user).filter(pk=version_key).first()
    split = request.POST.get("split", "") if version else ""
    try:
        order_test(model, by=request.user, version=version, split=split, test_set=test_set)
    except TrainingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The test is ordered; its figures come by themselves.")
    return redirect("model-tests", model.pk)


@role_required(Role.TRAINER)
@require_GET
def model_test_detail(request: TeamRequest, test_id: UUID) -> HttpResponse:
    """Show each reply of a test beside what was expected."""
    related = ("model", "test_set", "version__dataset", "created_by")
    models = TrainedModel.objects.visible_to(request.user)
    found = ModelTest.objects.filter(model__in=models).select_related(*related)
    test = get_object_or_404(found, pk=test_id)
    return respond(
        request,
        page="training/model_test.html",
        fragment="training/_test_replies.html",
        context={
            "test": test,
            "line": TestLine(test),
            "replies": [TestedReply(row) for row in test.replies],
        },
    )


@role_required(Role.TRAINER)
@require_http_methods(["GET", "POST"])
def test_set_list(request: TeamRequest) -> HttpResponse:
    """Show the test sets, and keep a new one."""
    text, name, trouble = request.POST.get("text", ""), request.POST.get("name", ""), ""
    if request.method == "POST":
        try:
            made = make_test_set(name, text, by=request.user)
        except TrainingError as error:
            trouble = str(error)
        else:
            messages.success(request, f"“{made.name}” holds {len(made.questions):,} questions.")
            return redirect("test-set-list")
    return respond(
        request,
        page="training/test_set_list.html",
        fragment="training/_test_sets.html",
        context={
            "test_sets": sets_of_tests(request.user),
            "text": text,
            "name": name,
            "trouble": trouble,
        },
        status=422 if trouble else 200,
    )


@role_required(Role.TRAINER)
@require_POST
def test_set_delete(request: TeamRequest, questions_id: UUID) -> HttpResponse:
    """Delete a test set and what models reached on it."""
    test_set = get_object_or_404(TestSet.objects.visible_to(request.user), pk=questions_id)
    delete_test_set(test_set, by=request.user)
    messages.success(request, f"“{test_set.name}” is deleted.")
    return redirect("test-set-list")


def _model(request: TeamRequest, model_id: UUID) -> TrainedModel:
    models = TrainedModel.objects.visible_to(request.user).ready().select_related("run__version")
    return get_object_or_404(models, pk=model_id)
