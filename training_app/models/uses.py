"""What needs the folder of a model at this moment, said by the rows that do."""

from __future__ import annotations

from uuid import UUID


class NeedsModels:
    """A kind of row for which a model must stay; rows that only tell of the past need nothing."""

    @classmethod
    def uses_of(cls, model_id: UUID) -> list[str]:
        """Return each present use of the model as a clause for a person."""
        raise NotImplementedError
