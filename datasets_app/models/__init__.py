"""Rows of this app, by noun; every name can be imported from here."""

from __future__ import annotations

from datasets_app.models.action import Action, ActionGroup
from datasets_app.models.blob import Blob
from datasets_app.models.conversation import (
    Conversation,
    ConversationRevision,
    Decision,
    Finding,
    Origin,
    Status,
)
from datasets_app.models.dataset import Dataset, Rescoring
from datasets_app.models.documents import (
    Chunk,
    ChunkSet,
    Document,
    DocumentQuerySet,
    DocumentState,
)
from datasets_app.models.encoder import Encoder, EncoderState
from datasets_app.models.folder import FolderLoad
from datasets_app.models.generation import (
    GenerationItem,
    ItemState,
    Pair,
    PairGeneration,
    Provider,
)
from datasets_app.models.knowledge import Knowledge, Lookup
from datasets_app.models.mapping import SavedMapping
from datasets_app.models.opinion import Opinion, OpinionRow
from datasets_app.models.querysets import CuratorsQuerySet
from datasets_app.models.removal import Removal
from datasets_app.models.repeats import (
    Cluster,
    ClusterKind,
    ClusterMember,
    RepeatSearch,
    SearchStep,
)
from datasets_app.models.replacement import Replacement, ReplacementPart, Step
from datasets_app.models.scoring import Judge, Score, ScoreLabel, ScoreState, Scoring
from datasets_app.models.tag import RowTag, Tag
from datasets_app.models.tally import Tally
from datasets_app.models.tokenizer import KnownTokenizer
from datasets_app.models.upload import (
    BROKEN_OFF,
    EXPIRED,
    WITHDRAWN,
    FileState,
    Issue,
    Purpose,
    SourceFile,
    SourceFileQuerySet,
    Upload,
    UploadQuerySet,
)
from datasets_app.models.version import CHOSEN, Choice, Version, VersionPart, VersionRow
from datasets_app.models.view import SavedView
from datasets_app.models.web import PageState, WebAuthority, WebFetch, WebPage, WebRobots

__all__ = [
    "BROKEN_OFF",
    "CHOSEN",
    "EXPIRED",
    "WITHDRAWN",
    "Action",
    "ActionGroup",
    "Blob",
    "Choice",
    "Chunk",
    "ChunkSet",
    "Cluster",
    "ClusterKind",
    "ClusterMember",
    "Conversation",
    "ConversationRevision",
    "CuratorsQuerySet",
    "Dataset",
    "Decision",
    "Document",
    "DocumentQuerySet",
    "DocumentState",
    "Encoder",
    "EncoderState",
    "FileState",
    "Finding",
    "FolderLoad",
    "GenerationItem",
    "Issue",
    "ItemState",
    "Judge",
    "Knowledge",
    "KnownTokenizer",
    "Lookup",
    "Opinion",
    "OpinionRow",
    "Origin",
    "PageState",
    "Pair",
    "PairGeneration",
    "Provider",
    "Purpose",
    "Removal",
    "RepeatSearch",
    "Replacement",
    "ReplacementPart",
    "Rescoring",
    "RowTag",
    "SavedMapping",
    "SavedView",
    "Score",
    "ScoreLabel",
    "ScoreState",
    "Scoring",
    "SearchStep",
    "SourceFile",
    "SourceFileQuerySet",
    "Status",
    "Step",
    "Tag",
    "Tally",
    "Upload",
    "UploadQuerySet",
    "Version",
    "VersionPart",
    "VersionRow",
    "WebAuthority",
    "WebFetch",
    "WebPage",
    "WebRobots",
]
