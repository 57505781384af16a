"""The steps from documents to pairs: cut, ask, judge, choose; each goes on after a crash.

The pipeline keeps the id of each order in the transaction that writes it, and looks nowhere else:
people may order other chunks, pairs and scores of the same dataset meanwhile.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import models, transaction

from datasets_app.corpus.chunks.settings import Settings
from datasets_app.corpus.conversation import CorpusError
from datasets_app.corpus.judging.scores import Cuts
from datasets_app.jobs.chunking import chunk_documents
from datasets_app.jobs.generating import generate_pairs
from datasets_app.jobs.loading import import_here, load_path
from datasets_app.jobs.scoring import score_pairs
from datasets_app.models import (
    Choice,
    ChunkSet,
    Dataset,
    Document,
    DocumentState,
    GenerationItem,
    ItemState,
    PairGeneration,
    Provider,
    Scoring,
    Upload,
)
from datasets_app.selectors.documents import files_of_uploads
from datasets_app.selectors.scorings import cuts_of, kept_of, overview_of
from datasets_app.services import documents as document_services
from datasets_app.services.datasets import create_dataset, free_name
from datasets_app.services.generating import Options, new_pairs, retry_items
from datasets_app.services.scoring import ScoringOrder, go_on, new_scoring
from otto_web.lib.hints import hint
from otto_web.lib.work.claims import renew
from otto_web.lib.work.states import State
from otto_web.loop.jobs.stepping import Wait, in_turn, key_of, needed
from otto_web.loop.models import Pipeline

CHUNKS = "Run everything"  # name of the set
Order = TypeVar("Order", ChunkSet, PairGeneration, Scoring)
AT_ONCE = 1 << 20  # bytes of a file that are held while it is packed
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same folder gives the same bytes


def documents(pipeline: Pipeline) -> str:
    """Take the documents: uploads that are there, or a folder of this machine."""
    options = pipeline.options
    if not options["uploads"]:
        upload = _folder_as_upload(pipeline, Path(options["folder"]))
        renew(pipeline, options={**options, "uploads": [str(upload.pk)]})
    files = files_of_uploads(_uploads(pipeline))
    count = files.count()
    if not count:
        raise CorpusError(
            "There is no document in it that can be cut. txt, md, rst, html, pdf, docx and odt can;"
            " the page of the upload says what became of each file."
        )
    if pipeline.dataset is None:
        _make_dataset(pipeline)
    return f"{count:,} documents; their pairs go to “{pipeline.dataset}”"


def _uploads(pipeline: Pipeline) -> list[Upload]:
    ids = pipeline.options["uploads"]
    return list(Upload.objects.visible_to(_owner(pipeline)).filter(pk__in=ids))


def _owner(pipeline: Pipeline) -> User:
    user: User = needed(pipeline.created_by)
    return user


@transaction.atomic(durable=True)
def _make_dataset(pipeline: Pipeline) -> None:
    """Make the dataset and name it in one step: after a crash it is found, and not made twice.

    Pairs go beside the passages of their documents, so that a version can hold both; where those
    lie in several datasets, or among other rows, they get a dataset of their own.
    """
    uploads = _uploads(pipeline)
    there = {upload.dataset for upload in uploads if upload.dataset}
    if len(there) == 1 and (pipeline.options.get("folder") or not pipeline.options["name"]):
        (dataset,) = there
        if not dataset.conversations.filter(is_passage=False).exists():
            renew(pipeline, dataset=dataset)
            return
    first = uploads[0].name.rpartition(".")[0] or "Documents"
    wanted = pipeline.options["name"] or f"{first[:120]}: questions and answers"
    renew(pipeline, dataset=create_dataset(free_name(wanted), by=pipeline.created_by))


def _folder_as_upload(pipeline: Pipeline, folder: Path) -> Upload:
    key, by, name = key_of(pipeline, "folder"), pipeline.created_by, pipeline.options["name"]
    earlier = Upload.objects.filter(created_by=by, idem_key=key).exclude(state=State.RECEIVING)
    if (arrived := earlier.first()) is not None:  # an earlier turn packed it: its bytes are here
        upload = import_here(arrived, wait=in_turn())
    else:
        name = free_name(name or f"{folder.name} documents")
        upload = _pack_and_load(folder, key, by, name)
    if not upload.files.exists():
        raise CorpusError(upload.sentence or "Nothing in this folder could be read.")
    return upload


def _pack_and_load(folder: Path, key: str, by: User | None, name: str) -> Upload:
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {folder}.")
    with _packed(folder) as path:
        return load_path(path, dataset=name, by=by, is_again=True, idem_key=key, wait=in_turn())


@contextmanager
def _packed(folder: Path) -> Iterator[Path]:
    """Give the folder as an archive whose bytes are the same each time.

    Hidden files stay out, and so do links to what lies elsewhere.
    """
    root = folder.resolve()
    found = (path for path in folder.rglob("*") if path.is_file())
    inside = sorted(path for path in found if path.resolve().is_relative_to(root))
    names = [(path, path.relative_to(folder)) for path in inside]
    seen = [(path, name) for path, name in names if not any(p[0] == "." for p in name.parts)]
    if not seen:
        raise CorpusError(f"The folder {folder} is empty. Put documents into it, then continue.")
    with TemporaryDirectory() as here:
        target = Path(here) / f"{folder.name}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, name in seen:
                about = zipfile.ZipInfo(name.as_posix(), EPOCH)
                about.compress_type = zipfile.ZIP_DEFLATED
                about.file_size = path.stat().st_size  # what has gigabytes needs other headers
                with path.open("rb") as file, archive.open(about, "w") as packed:
                    shutil.copyfileobj(file, packed, AT_ONCE)
        yield target


def chunk(pipeline: Pipeline) -> str:
    """Cut the documents; one that cannot be cut is named, and the rest goes on."""
    order = _kept(pipeline, "chunk_set", ChunkSet.objects.all())
    is_again = _is_again(pipeline, "chunk")
    if order is None:
        order = _order_chunks(pipeline)
    elif order.state == State.FAILED and is_again:
        document_services.retry_failed(order, by=_owner(pipeline))
    chunk_documents(order.pk)
    order.refresh_from_db()
    failed = Document.objects.filter(chunk_set=order, state=DocumentState.FAILED).order_by("number")
    why = "; ".join(
        f"{name}: {reason}" for name, reason in failed.values_list("name", "reason")[:3]
    )
    if order.state == State.FAILED:
        raise CorpusError(f"{order.message} {why}".strip())
    _go_on_later(order, f"{order.n_done:,} of {order.n_documents:,} documents are cut")
    left_out = f"; {order.n_failed:,} could not be cut ({why})" if order.n_failed else ""
    return f"{order.n_chunks:,} chunks of {order.n_done:,} documents{left_out}"


@transaction.atomic(durable=True)
def _order_chunks(pipeline: Pipeline) -> ChunkSet:
    dataset, options = _dataset(pipeline), pipeline.options
    how = Settings(size=options["chunk_size"], overlap=options["chunk_overlap"])
    is_taken = dataset.chunk_sets.filter(name=CHUNKS).exists()
    name = f"{CHUNKS} {pipeline.pk}" if is_taken else CHUNKS
    files, by = files_of_uploads(_uploads(pipeline)), pipeline.created_by
    order = document_services.new_chunks(dataset, name, how, files, by=by)
    return _keep(pipeline, "chunk_set", order)


def generate(pipeline: Pipeline) -> str:
    """Make questions and answers of the chunks."""
    order = _kept(pipeline, "generation", PairGeneration.objects.all())
    is_again = _is_again(pipeline, "generate")
    if order is None:
        order = _order_pairs(pipeline)
    elif order.state in (State.FAILED, State.PARTIAL) and is_again:
        retry_items(order, by=pipeline.created_by)
    generate_pairs(order.pk, goes_on=False)  # the page says how far it is
    order.refresh_from_db()
    items = GenerationItem.objects.filter(generation=order)
    done = items.filter(state=ItemState.DONE).count()
    if order.state == State.FAILED or (order.state == State.PARTIAL and order.message):
        raise CorpusError(order.message)
    _go_on_later(order, f"{done:,} of {items.count():,} chunks are asked")
    failed = items.filter(state=ItemState.FAILED).count()
    left_out = f"; {failed:,} chunks failed, and their page says why" if failed else ""
    return f"{order.n_new:,} pairs, made by {order.by}{left_out}"


@transaction.atomic(durable=True)
def _order_pairs(pipeline: Pipeline) -> PairGeneration:
    dataset, options = _dataset(pipeline), pipeline.options
    chunks = needed(_kept(pipeline, "chunk_set", ChunkSet.objects.all()))
    how = Options(
        provider=_provider(options["provider"]),
        model=options.get("llm_model", ""),
        questions=options["questions"],
    )
    order = new_pairs(chunks, how, by=pipeline.created_by, dataset=dataset)
    return _keep(pipeline, "generation", order)


def _provider(name: str) -> Provider | None:
    if not name:
        return None
    provider: Provider | None = Provider.objects.filter(name=name).first()
    if provider is None:
        raise CorpusError(f"There is no provider “{name}”. An admin adds one on the page of pairs.")
    return provider


def judge(pipeline: Pipeline) -> str:
    """Score every pair; judging removes none."""
    order = _kept(pipeline, "scoring", Scoring.objects.all())
    is_again = _is_again(pipeline, "judge")
    if order is None:
        order = _order_scores(pipeline)
    elif order.state == State.FAILED and is_again:
        go_on(order, by=_owner(pipeline))
    score_pairs(order.pk, goes_on=False)
    order.refresh_from_db()
    if order.state == State.FAILED:
        raise CorpusError(order.message)
    _go_on_later(order, f"{order.done:,} of {order.total:,} pairs are scored")
    told = overview_of(order).summary.counts
    words = ", ".join(f"{count:,} {name}" for name, count in told.items())
    return f"{words}, where {cuts_of(order).passing} or more is PASS"


@transaction.atomic(durable=True)
def _order_scores(pipeline: Pipeline) -> Scoring:
    passing = Decimal(str(pipeline.options["passing"]))
    cuts = Cuts(passing, min(Cuts().failing, passing))
    wanted, by = ScoringOrder(cuts=cuts), pipeline.created_by
    order = new_scoring(_dataset(pipeline), wanted, by=by)
    hint(Scoring.job, order.pk)
    return _keep(pipeline, "scoring", order)


def choose(pipeline: Pipeline) -> str:
    """Say how many pairs score enough to be learned from."""
    scoring = needed(scoring_of(pipeline))
    threshold = threshold_of(pipeline)
    kept = kept_of(scoring, threshold, Choice.KEPT)
    if not kept.kept:
        raise CorpusError(
            f"None of {kept.total:,} pairs scores {threshold} or more. Look at the scores of"
            f" “{pipeline.dataset}”; better documents or a lower threshold give some."
        )
    return f"{kept.kept:,} of {kept.total:,} pairs score {threshold} or more"


def threshold_of(pipeline: Pipeline) -> Decimal:
    return Decimal(str(pipeline.options["threshold"]))


def scoring_of(pipeline: Pipeline) -> Scoring | None:
    """Return the scores that the version is chosen by; None where it begins with conversations."""
    if "threshold" not in pipeline.options:
        return None
    scoring: Scoring = needed(_kept(pipeline, "scoring", Scoring.objects.all()))
    return scoring


def _keep(pipeline: Pipeline, what: str, order: Order) -> Order:
    renew(pipeline, options={**pipeline.options, what: str(order.pk)})
    return order


def _kept(pipeline: Pipeline, what: str, orders: models.QuerySet[Order]) -> Order | None:
    """Return what an earlier turn has ordered; raises where that was deleted meanwhile."""
    key = pipeline.options.get(what)
    return None if key is None else needed(orders.filter(pk=key).first())


def _dataset(pipeline: Pipeline) -> Dataset:
    dataset: Dataset = needed(pipeline.dataset)
    return dataset


def _go_on_later(order: Any, how_far: str) -> None:
    """Come back where the work is not over: it gives its worker to others between turns."""
    if not order.is_over:
        raise Wait(how_far)


def _is_again(pipeline: Pipeline, step: str) -> bool:
    """Return whether a person continued the pipeline since this step was ordered last."""
    options = pipeline.options
    ordered, tries = options.get("ordered", {}), options.get("tries", 0)
    if ordered.get(step) == tries:
        return False
    renew(pipeline, options={**options, "ordered": {**ordered, step: tries}})
    return True
