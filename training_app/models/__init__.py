"""Rows of this app, by noun; every name can be imported from here."""

from __future__ import annotations

from training_app.models.answer_check import AnswerCheck
from training_app.models.base import DELETED, Base, BaseKind, BaseSource
from training_app.models.evaluation import EvalSample, Evaluation
from training_app.models.evaluation_order import EvaluationOrder
from training_app.models.export import Export
from training_app.models.made_tokenizer import MadeTokenizer
from training_app.models.preparation import Preparation
from training_app.models.records import Checkpoint, RunPoint, RunSample
from training_app.models.report_link import ReportLink
from training_app.models.run import (
    RUN_STATES,
    CancelVerb,
    Run,
    RunAttempt,
    RunEvent,
    RunLease,
    RunQuerySet,
)
from training_app.models.test_set import ModelTest, TestSet
from training_app.models.tokenizer import Tokenizer
from training_app.models.trained_model import ModelQuerySet, ModelState, TrainedModel

__all__ = [
    "DELETED",
    "RUN_STATES",
    "AnswerCheck",
    "Base",
    "BaseKind",
    "BaseSource",
    "CancelVerb",
    "Checkpoint",
    "EvalSample",
    "Evaluation",
    "EvaluationOrder",
    "Export",
    "MadeTokenizer",
    "ModelQuerySet",
    "ModelState",
    "ModelTest",
    "Preparation",
    "ReportLink",
    "Run",
    "RunAttempt",
    "RunEvent",
    "RunLease",
    "RunPoint",
    "RunQuerySet",
    "RunSample",
    "TestSet",
    "Tokenizer",
    "TrainedModel",
]
