"""The rules that judge a dataset's rows."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from datasets_app.forms.rules import RulesForm
from datasets_app.selectors import scores
from datasets_app.selectors.datasets import header
from datasets_app.services import datasets as services
from datasets_app.views.datasets import find_dataset
from otto_web.lib.access import Role, role_required
from otto_web.lib.http import TeamRequest, respond


@role_required(Role.CURATOR)
@require_http_methods(["GET", "POST"])
def dataset_rules(request: TeamRequest, dataset_id: UUID) -> HttpResponse:
    """Switch rules and set thresholds; saving judges all rows again."""
    dataset = find_dataset(request, dataset_id)
    form = RulesForm(dataset, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        services.set_policy(dataset, form.policy(), by=request.user)
        messages.success(request, "The rules are saved. All conversations are judged again now.")
        return redirect("dataset-rules", dataset.pk)
    context = {
        **header(dataset),
        "rules": form,
        "hits": partial(scores.rule_hits, dataset),
    }
    status = 422 if request.method == "POST" else 200
    return respond(
        request,
        page="datasets/dataset_rules.html",
        fragment="datasets/_rescoring.html",
        context=context,
        status=status,
    )
