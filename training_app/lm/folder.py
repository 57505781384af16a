"""A model's folder: self-contained, written once, opened by OTTO and by transformers alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, GenerationConfig

from training_app.lm.layout import MANIFEST, FolderError, hashes, refuse_unsafe
from training_app.lm.model import context_of, parameter_count
from training_app.lm.template import Template

SCHEMA = 1


def write_model(
    folder: Path, model: Any, template: Template, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write the model's folder and return its manifest, with the SHA-256 of every file.

    Files that `manifest` speaks of are in the folder already; the manifest is written last.
    """
    context = context_of(model)
    model.generation_config = GenerationConfig(
        bos_token_id=template.begin,
        eos_token_id=sorted(template.stop_ids),
        pad_token_id=template.end_of_text,
        max_length=context,
    )
    model.to(torch.float32).save_pretrained(folder, safe_serialization=True)
    remark = template.save(folder, context=context)
    complete = {
        "schema": SCHEMA,
        "family": model.config.model_type,
        "parameters": parameter_count(model),
        "context": context,
        "vocab_size": int(model.config.vocab_size),
        "template": template.kind,
        **({"remark": remark} if remark else {}),
        "stop_ids": sorted(template.stop_ids),
        **manifest,
        "files": hashes(folder),
    }
    text = json.dumps(complete, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return complete


def verify_model(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder whose files are all as they were written.

    Raises FolderError where the manifest is unreadable, or a file is missing or was changed.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FolderError(f"The model in {folder.name} has no readable {MANIFEST}.") from error
    now = hashes(folder)
    changed = [name for name, sha in manifest["files"].items() if now.get(name) != sha]
    if changed:
        raise FolderError(f"The model in {folder.name} was changed: {', '.join(changed)}.")
    return manifest


def open_network(folder: Path) -> nn.Module:
    """Return the network in a folder (fp32, eval mode); pickles are never read.

    Raises FolderError where a file or a weight is missing, cannot be read, or is in a pickle only.
    """
    refuse_unsafe(folder)
    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever a file that lies makes of a library that believes it
        raise FolderError(
            f"The model in {folder.name} cannot be read: {type(error).__name__}: {error}."
            " Copy it here again, or take another one."
        ) from error
    if missing := sorted(told["missing_keys"]):  # they would be random numbers
        raise FolderError(
            f"The model in {folder.name} cannot be read: model.safetensors lacks {len(missing)}"
            f" of its weights, {missing[0]} among them."
        )
    network: nn.Module = model.eval()
    return network


def open_model(folder: Path) -> tuple[nn.Module, Template]:
    """Return the network (fp32, eval mode) and its template.

    Raises FolderError as `open_network` does, TemplateError where control tokens are missing.
    """
    return open_network(folder), Template.open(folder)


def move_into_place(made: Path, final: Path) -> None:
    """Give a finished folder its name; one of an attempt that died before is replaced."""
    if final.exists():
        shutil.rmtree(final)
    made.rename(final)
