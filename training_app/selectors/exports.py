"""A model in all formats that people may take, and how each stands."""

from __future__ import annotations

from dataclasses import dataclass

from training_app.lm.exports.registry import FORMATS, ExportFormat
from training_app.models import Export, TrainedModel


@dataclass(frozen=True, slots=True)
class FormatLine:
    """One format of one model; `export` is None where nobody has ordered it."""

    name: str
    format: ExportFormat
    export: Export | None

    @property
    def is_under_way(self) -> bool:
        return self.export is not None and self.export.is_under_way


def format_lines(model: TrainedModel) -> list[FormatLine]:
    """Return every format of the registry, in its order; one query."""
    found = {export.format: export for export in Export.objects.filter(model=model)}
    return [FormatLine(name, one, found.get(name)) for name, one in FORMATS.items()]
