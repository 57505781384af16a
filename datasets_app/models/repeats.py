"""What repeats in a dataset: the search for it, clusters of rows, and what people decided."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from datasets_app.models.action import Action
from datasets_app.models.conversation import Conversation, Status
from datasets_app.models.dataset import Dataset
from datasets_app.models.encoder import Encoder
from otto_web.lib.work.rows import Retry, Work

# Which row of a cluster is the best: the longest talk, then corrected, good, early.
BEST_FIRST = (
    "-conversation__n_turns",
    "-conversation__revision",
    "-conversation__quality",
    "conversation__position",
)


def repeats_store() -> Path:
    """Return the folder of all indexes; each dataset has at most one that is named."""
    return Path(settings.OTTO_DATA_DIR) / "repeats"


class SearchStep(models.TextChoices):
    """What a search is doing; `done` of `total` counts that."""

    READING = "reading", "Reading new and changed conversations"
    ENCODING = "encoding", "Turning questions into what they mean"
    COMPARING = "comparing", "Comparing"


class RepeatSearch(Work):
    """A dataset's rows are compared with each other; of rows seen before nothing is read again.

    The sketches lie in `folder`; what is there can be made again from the rows.
    """

    job = "datasets.find_repeats"
    retry = Retry(
        message="Looking for repeats was interrupted several times. Start it once more.",
        after_faults=True,
    )

    dataset = models.OneToOneField(
        Dataset, primary_key=True, on_delete=models.CASCADE, related_name="repeat_search"
    )
    encoder = models.ForeignKey(
        Encoder,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="what questions were compared with; none where words alone were",
    )
    folder = models.CharField(max_length=300, default="", help_text="relative to the data folder")
    step = models.CharField(max_length=10, choices=SearchStep, default=SearchStep.READING)
    total = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    read = models.PositiveBigIntegerField(
        default=0, help_text="rows that had to be read, new or changed since the last search"
    )
    newest = models.PositiveBigIntegerField(
        default=0, help_text="the last row that was there when they were read"
    )
    facts = models.JSONField(default=dict, help_text="clusters by kind, crowded questions, trouble")

    def __str__(self) -> str:
        return f"{self.dataset_id}: {self.step} {self.done} of {self.total}"

    @property
    def path(self) -> Path | None:
        """Return where the index lies; None until one was begun."""
        return Path(settings.OTTO_DATA_DIR) / self.folder if self.folder else None


class ClusterKind(models.TextChoices):
    CONFLICT = "conflict", "Different answers"
    NEAR = "near", "Nearly the same"
    EXACT = "exact", "Copies"
    MEANING = "meaning", "Same question"
    SNAPSHOT = "snapshot", "Longer exports"


class ClusterQuerySet(models.QuerySet["Cluster"]):
    """Clusters of a dataset; who is decided and not undone is not asked about again."""

    def undecided(self) -> ClusterQuerySet:
        return self.filter(Q(action=None) | Q(action__undone_by__isnull=False))

    def decided(self) -> ClusterQuerySet:
        return self.filter(action__isnull=False, action__undone_by=None)

    def waiting(self) -> ClusterQuerySet:
        """Return what there is to decide: two rows are as they were compared, and not excluded."""
        rows = ClusterMember.objects.filter(cluster=OuterRef("pk")).live()
        return self.undecided().filter(Exists(rows[1:2]))


class Cluster(models.Model):
    """Rows of a dataset that repeat or contradict each other, as one search found them."""

    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.CASCADE,
        related_name="clusters",
        db_index=False,  # cluster_unique begins with it
    )
    kind = models.CharField(max_length=10, choices=ClusterKind)
    key = models.CharField(max_length=32, help_text="of its rows and their revisions")
    weight = models.FloatField(help_text="what contradicts most, or is biggest, stands first")
    action = models.ForeignKey(
        Action,
        null=True,
        on_delete=models.SET_NULL,
        related_name="clusters",
        help_text="the decision about it, as long as that is not undone",
    )
    objects = ClusterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "kind", "key"], name="cluster_unique"),
            models.CheckConstraint(
                name="cluster_kind_known", condition=Q(kind__in=ClusterKind.values)
            ),
        ]
        indexes = [
            # the queue
            models.Index(fields=["dataset", "kind", "-weight", "id"], name="cluster_by_weight")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ClusterMemberQuerySet(models.QuerySet["ClusterMember"]):
    """Rows of clusters."""

    def live(self) -> ClusterMemberQuerySet:
        """Return those that say what they said when they were compared, and are not excluded."""
        return self.live_or_of(())

    def live_or_of(self, clusters: Collection[int]) -> ClusterMemberQuerySet:
        """Return the same, and all of these clusters."""
        is_same = Q(conversation__revision=F("revision"))
        is_live = is_same & ~Q(conversation__status=Status.EXCLUDED)
        return self.filter(is_live | Q(cluster__in=clusters)) if clusters else self.filter(is_live)


class ClusterMember(models.Model):
    """A row of a cluster, and how much it is like the cluster's first one."""

    cluster = models.ForeignKey(
        Cluster,
        on_delete=models.CASCADE,
        related_name="members",
        db_index=False,  # clustermember_unique begins with it
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="cluster_members"
    )
    revision = models.PositiveIntegerField()
    similarity = models.FloatField()
    objects = ClusterMemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "conversation"], name="clustermember_unique")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} in {self.cluster_id}"
