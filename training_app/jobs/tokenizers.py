"""Makes a tokenizer of a version, measures it on what was kept back, and keeps its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from uuid import UUID

from otto_web.lib.files import fsync_all
from otto_web.lib.work.claims import finish
from otto_web.lib.work.keeper import Lease
from otto_web.lib.work.perform import perform
from training_app.jobs.trainer.splits import VersionSplit
from training_app.lm.config import TrainingError
from training_app.lm.layout import file_sha256
from training_app.lm.tokenizer_backends import Parted, Recipe
from training_app.lm.tokenizer_training import learn, measure
from training_app.models import MadeTokenizer, paths


def make_tokenizer(tokenizer_id: UUID | str) -> None:
    """Make what waits; a call too many does nothing."""
    perform(MadeTokenizer, tokenizer_id, _make, refusals=(TrainingError,))


class _Talks:
    """The texts of a version's training split, a conversation at a time."""

    def __init__(self, made: MadeTokenizer, lease: Lease) -> None:
        self._split, self._lease = VersionSplit(made.version, "train"), lease

    def __iter__(self) -> Iterator[Sequence[str]]:
        for talk in self._split:
            self._lease.touch()
            yield [turn.text for turn in talk.turns]


def _make(made: MadeTokenizer, lease: Lease) -> None:
    recipe = Recipe(**made.recipe)
    folder = paths.absolute(made.folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    talks = _Talks(made, lease)
    try:
        tokenizer = learn(Parted(talks, recipe, kept_back=False), recipe)
        measured = measure(tokenizer, Parted(talks, recipe, kept_back=True))
        of_kept_back = measured.lines > 0
        if not of_kept_back:  # nothing was to be, or so few conversations drew none
            measured = measure(tokenizer, Parted(talks, recipe, kept_back=False))
    except TrainingError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    tokenizer.save(str(folder / "tokenizer.json"))
    stats = {**measured.as_json(), "of_kept_back": of_kept_back}
    sha256 = file_sha256(folder / "tokenizer.json")
    manifest = {
        "created_at": made.created_at.isoformat(),
        "config": made.recipe,
        "version": {"id": str(made.version_id), "sha256": made.version.manifest_sha256},
        "stats": {**stats, "entries": tokenizer.get_vocab_size()},
        "files": {"tokenizer.json": sha256},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    fsync_all([*folder.iterdir(), folder])
    finish(
        made,
        path=made.folder,
        sha256=sha256,
        entries=tokenizer.get_vocab_size(),
        stats=stats,
    )
