"""Adds one of everything that has a page, and knows the address of every page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chat_app.models import Chat, Message
from datasets_app.corpus.replacing import Replacing
from datasets_app.corpus.source import Mapping
from datasets_app.jobs.importing import import_upload
from datasets_app.jobs.replacing import replace_words
from datasets_app.models import (
    Cluster,
    Conversation,
    Dataset,
    Opinion,
    PairGeneration,
    Provider,
    Replacement,
    SavedView,
)
from datasets_app.selectors.row_filter import RowFilter
from datasets_app.services.documents import bring_chunks
from datasets_app.services.generating import Options, fill, order_pairs
from datasets_app.services.mappings import save_mapping
from datasets_app.services.receiving import NewUpload, receive_whole
from datasets_app.services.replacing import order_look
from datasets_app.services.scoring import ScoringOrder, order_scoring
from datasets_app.services.web import Wanted, order_fetch
from otto_web.lib.access import Role
from otto_web.lib.work.claims import claim
from otto_web.loop.services.pipelines import PipelineOrder, start_pipeline
from otto_web.pages.services.tokens import make_token
from tests.chat_app.makers import add_chat, make_model, make_served
from tests.conftest import make_person
from tests.datasets_app.makers import support_dataset
from tests.training_app.conftest import make_version, toy_order
from training_app.lm.tokenizer_backends import Recipe
from training_app.models import Base
from training_app.services.model_tests import make_test_set, order_test
from training_app.services.preparations import order_preparation
from training_app.services.report_links import make_link, signed
from training_app.services.runs import queue_run
from training_app.services.tokenizers import order_tokenizer

DOWNLOADS = {
    *("score-report", "score-download"),
    *("tus-collection", "tus-upload", "version-download", "dataset-download"),
    *("run-checkpoint", "run-log", "run-history", "run-record", "model-download"),
    *("preparation-statistics", "preparation-train", "preparation-validation"),
    *("tokenizer-download", "preparation-download", "chat-download", "pairs-download"),
    *("chunks-download", "report-html", "report-md", "run-settings"),
    *("model-export-download", "log-download"),
}
NO_PAGES = {*DOWNLOADS, "set-password", "healthz", "readyz"}
CHATS = [("How do I reset my badge?", "Go to the front desk."), ("When?", "From nine to five.")]
PAIR = Mapping(question="a", answer="b")
CHUNKS = b'{"chunks": [{"content": "We open at nine."}, {"content": "We close at six."}]}'
CSV = b"question,answer\nWhere is my parcel?,It left our warehouse today.\n"


def _routes(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry)
        elif isinstance(entry, URLPattern):
            yield entry


def _is_page(route: URLPattern) -> bool:
    return route.name not in NO_PAGES and getattr(route.callback, "access_rule", "") != "api"


ROUTES = {entry.name: entry for entry in _routes(get_resolver()) if _is_page(entry)}


def add_one_of_each(number: int, owner: User) -> dict[str, Any]:
    """Add one of everything and return its keys, as addresses name them."""
    dataset = support_dataset(owner)
    body = CSV.replace(b"parcel", b"parcel %d" % number)
    upload = receive_whole(NewUpload(f"{number}.csv", len(body)), body, by=owner)
    import_upload(upload.pk)
    run = queue_run(toy_order(make_version()), created_by=owner)
    served = make_served(f"support-{number}", make_model(number=number))
    chat = add_chat(served, owner, CHATS, is_logged=True)
    questions = make_test_set(f"Set {number}", "question,answer\nWhen?,At nine.\n", by=owner)
    base = Base.objects.create(name=f"base-{number}", title=f"Base {number}", source="upload")
    return {
        "base_id": base.pk,
        "name": base.name,
        "dataset_id": dataset.pk,
        "number": Conversation.objects.filter(dataset=dataset).first().pk,
        "upload_id": upload.pk,
        "authority_id": 1,
        "fetch_id": order_fetch(Wanted(("https://example.org/",)), by=owner).pk,
        "file_id": upload.files.get().pk,
        "version_id": run.version_id,
        "other_id": run.version_id,
        "run_id": run.pk,
        "questions_id": questions.pk,
        "test_id": order_test(served.model, by=owner, test_set=questions).pk,
        "signature": signed(make_link(run, days=1, by=owner)),
        "tokenizer_id": order_tokenizer(run.version, Recipe(), by=owner).pk,
        "preparation_id": order_preparation(toy_order(run.version), by=owner).pk,
        "model_id": served.model_id,
        "alias": served.pk,
        "chat_id": chat.pk,
        "share_key": _shared(chat),
        "message_id": Message.objects.filter(chat=chat, role="assistant").first().pk,
        "person_id": make_person(f"person-{number}", Role.MEMBER).pk,
        "token_id": make_token(owner, f"script {number}", ["answers"])[0].pk,
        "pipeline_id": start_pipeline(PipelineOrder(dataset=dataset), by=owner).pk,
        "action_id": 1,
        "mapping_id": save_mapping(f"Kept {number}", ["a", "b"], PAIR, by=owner).pk,
        "view_id": SavedView.objects.create(dataset=dataset, owner=owner, name="Mine").pk,
        "order_id": _look(dataset, owner).pk,
        "scoring_id": order_scoring(dataset, ScoringOrder(), by=owner).pk,
        "opinion_id": Opinion.objects.create(
            dataset=dataset, asked_by=owner, seed=1, drawn_from=1
        ).pk,
        **_chunked(dataset, number, owner),
        "cluster_id": Cluster.objects.create(dataset=dataset, kind="near", key="1", weight=1).pk,
    }


def _shared(chat: Chat) -> UUID:
    """Let the team read a chat."""
    key = uuid4()
    Chat.objects.filter(pk=chat.pk).update(share_key=key)
    return key


def _chunked(dataset: Dataset, number: int, owner: User) -> dict[str, Any]:
    """Add a document that is cut into chunks."""
    made = bring_chunks(dataset, f"Chunks {number}", [("guide_chunks.json", CHUNKS)], by=owner)
    order = order_pairs(made, Options(), by=owner)
    fill(claim(PairGeneration, order.pk))
    there = Provider.objects.create(name=f"There {number}", base_url="https://example.com/v1")
    return {
        "set_id": made.pk,
        "document_id": made.documents.get().pk,
        "pairs_id": order.pk,
        "item_id": order.items.first().pk,
        "provider_id": there.pk,
    }


def _look(dataset: Dataset, owner: User) -> Replacement:
    """Look for words that stand in many rows, as the page does."""
    order = order_look(dataset, Replacing("parcel", "box"), RowFilter(), by=owner)
    replace_words(order.pk)
    return order


def addresses(keys: dict[str, Any]) -> dict[str, str]:
    """Return the address of every page, by the name of its route."""
    wanted = {name: route.pattern.regex.groupindex for name, route in ROUTES.items()}
    return {
        name: reverse(name, kwargs={key: keys[key] for key in groups})
        for name, groups in wanted.items()
    }
