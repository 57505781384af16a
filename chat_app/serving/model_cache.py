"""The models in memory: loaded beside the running answers, the longest unused unloaded first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from chat_app.serving.batch import RunningBatch
from chat_app.serving.requests import ModelKey


class ModelCache:
    """Keeps at most `limit` models; a model that is writing is never unloaded."""

    def __init__(self, load: Callable[[ModelKey], RunningBatch], limit: int = 2) -> None:
        self._load, self._limit = load, limit
        self._batches: dict[ModelKey, RunningBatch] = {}  # the longest unused first
        self._loading: dict[ModelKey, Future[RunningBatch]] = {}
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="model-loader")

    def is_ready(self, key: ModelKey, wake: Callable[[], None]) -> bool:
        """Say whether `open` may be called now; else load the model and call `wake` when done."""
        if key in self._batches:
            return self._batches[key].may_admit
        if key not in self._loading and self._make_room():
            future = self._loading[key] = self._loader.submit(self._load, key)
            future.add_done_callback(lambda _: wake())
        return key in self._loading and self._loading[key].done()

    def open(self, key: ModelKey) -> RunningBatch:
        """Return a model that is ready; what went wrong while loading is raised here."""
        if key in self._loading:
            self._batches[key] = self._loading.pop(key).result()
        self._batches[key] = self._batches.pop(key)  # now the last used
        return self._batches[key]

    def batches(self) -> list[tuple[ModelKey, RunningBatch]]:
        """Return the loaded models."""
        return list(self._batches.items())

    def drop(self, key: ModelKey) -> None:
        """Unload a model, whatever it does."""
        del self._batches[key]

    def close(self) -> None:
        """Unload everything and end the loading thread."""
        self._loader.shutdown(wait=True, cancel_futures=True)
        self._batches.clear()

    def _make_room(self) -> bool:
        # loads that nobody waits for any more are forgotten; they can be asked for again
        self._loading = {key: future for key, future in self._loading.items() if not future.done()}
        idle = [key for key, batch in self._batches.items() if not batch.size]
        if len(self._batches) + len(self._loading) >= self._limit and idle:
            self.drop(idle[0])
        return len(self._batches) + len(self._loading) < self._limit
