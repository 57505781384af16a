"""The jobs of the house by name: what a hint wakes, the function behind it, and its queue.

Nothing is imported here. A worker imports a job when it does it, so the web process, which only
sends names, never loads what a job needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any


@dataclass(frozen=True, slots=True)
class Job:
    """A function `module:name` that takes the id of a row, and the queue of its workers."""

    place: str
    queue: str = "short"

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        function: Callable[..., Any] = resolve_name(self.place)
        return function


JOBS = {
    "datasets.import_upload": Job("datasets_app.jobs.importing:import_upload"),
    "datasets.generate_pairs": Job("datasets_app.jobs.generating:generate_pairs"),
    "datasets.fetch_pages": Job("datasets_app.jobs.web:fetch_pages"),
    "datasets.load_folder": Job("datasets_app.jobs.folders:load_folder"),
    "datasets.chunk_documents": Job("datasets_app.jobs.chunking:chunk_documents"),
    "datasets.remove_rows": Job("datasets_app.jobs.removing:remove_rows"),
    "datasets.freeze_version": Job("datasets_app.jobs.freezing:freeze"),
    "datasets.build_knowledge": Job("datasets_app.jobs.knowledge:build_knowledge"),
    "datasets.look_up": Job("datasets_app.jobs.knowledge:look_up"),
    "datasets.find_repeats": Job("datasets_app.jobs.repeats:find_repeats"),
    "datasets.score_pairs": Job("datasets_app.jobs.scoring:score_pairs"),
    "datasets.rescore_dataset": Job("datasets_app.jobs.rescoring:rescore_dataset"),
    "datasets.replace_words": Job("datasets_app.jobs.replacing:replace_words"),
    "training.supervise_run": Job("training_app.jobs.supervise:supervise_run", queue="train"),
    "training.build_export": Job("training_app.jobs.exports:build_export"),
    "training.check_answers": Job("training_app.jobs.answer_checks:check_answers"),
    "training.test_model": Job("training_app.jobs.model_tests:run_model_test"),
    "training.prepare_data": Job("training_app.jobs.preparing:prepare_data"),
    "training.evaluate_model": Job("training_app.jobs.evaluation_orders:evaluate_ordered"),
    "training.make_tokenizer": Job("training_app.jobs.tokenizers:make_tokenizer"),
    "training.prepare_base": Job("training_app.jobs.bases:prepare_base"),
    "chat.build_serving_export": Job("chat_app.jobs.serving_exports:build_serving_export"),
    "loop.advance_pipeline": Job("otto_web.loop.jobs.pipelines:advance"),
}
AT_START = (Job("training_app.jobs.recovery:start_recovery"),)  # in each new child of a worker
