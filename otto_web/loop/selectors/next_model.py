"""What the next model could learn that the deployed one has not seen."""

from __future__ import annotations

from dataclasses import dataclass

from chat_app.models import Deployment
from datasets_app.models import Dataset, Origin, Status, Version
from training_app.models import TrainedModel


@dataclass(frozen=True, slots=True)
class Proposal:
    """Continue from the deployed model, on its version's dataset as it is now."""

    deployment: Deployment
    model: TrainedModel
    version: Version
    dataset: Dataset
    fresh: int
    from_chats: int


def proposal(deployment: Deployment) -> Proposal | None:
    """Return what to train next, or None when nothing new was kept since."""
    model = deployment.model
    run = model.run if model else None
    if model is None or run is None or run.version.dataset.deleted_at is not None:
        return None
    kept = run.version.dataset.conversations.filter(status=Status.KEPT)
    fresh = kept.exclude(version_rows__version=run.version)
    count = fresh.count()
    if not count:
        return None
    return Proposal(
        deployment=deployment,
        model=model,
        version=run.version,
        dataset=run.version.dataset,
        fresh=count,
        from_chats=fresh.filter(origin=Origin.CHAT).count(),
    )
