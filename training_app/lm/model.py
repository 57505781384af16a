"""Networks as transformers classes: their weights and files are what other tools expect."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from training_app.lm.config import ModelConfig, TrainingError
from training_app.lm.families import FAMILIES
from training_app.lm.template import Template


def build_model(config: ModelConfig, template: Template, *, seed: int) -> nn.Module:
    """Return a fresh network for the template's tokenizer; equal seeds give equal weights.

    GPT-2: Radford et al. 2019. Llama: RoPE (Su et al. 2021), RMSNorm (Zhang & Sennrich 2019),
    SwiGLU (Shazeer 2020) and, with fewer key heads than heads, GQA (Ainslie et al. 2023).
    """
    torch.manual_seed(seed)
    entries = template.entries
    common = {
        "vocab_size": entries,
        "tie_word_embeddings": config.tie_word_embeddings,
        "bos_token_id": template.begin,
        "eos_token_id": template.end_of_text,
        "pad_token_id": template.end_of_text,
    }
    model: nn.Module = FAMILIES[config.family].load()(config, common)
    _quiet_residuals(model)
    return model


def gpt2_network(config: ModelConfig, common: dict[str, Any]) -> nn.Module:
    """Return a network of GPT-2 blocks with weights drawn at random."""
    settings = GPT2Config(
        n_layer=config.layers,
        n_head=config.heads,
        n_embd=config.hidden_size,
        n_positions=config.context,
        embd_pdrop=config.dropout,
        attn_pdrop=config.dropout,
        resid_pdrop=config.dropout,
        **common,
    )
    network: nn.Module = GPT2LMHeadModel(settings)
    return network


def llama_network(config: ModelConfig, common: dict[str, Any]) -> nn.Module:
    """Return a network of Llama blocks with weights drawn at random."""
    settings = LlamaConfig(
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.kv_heads,
        hidden_size=config.hidden_size,
        intermediate_size=config.feed_forward,
        max_position_embeddings=config.context,
        attention_dropout=config.dropout,
        **common,
    )
    network: nn.Module = LlamaForCausalLM(settings)
    return network


def _quiet_residuals(model: nn.Module) -> None:
    """Begin each block as if it were not there: short runs learn faster from that.

    The last matrix of each residual branch is 0, as in Fixup (Zhang et al. 2019, section 3); its
    other rules are not used.
    """
    for name, weights in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight", "c_proj.weight")):
            nn.init.zeros_(weights)


def context_of(model: Any) -> int:
    """Return how many tokens the network can look back over."""
    return int(model.config.max_position_embeddings)  # GPT-2 maps this name to n_positions


def parameter_count(model: nn.Module) -> int:
    """Return the number of trained weights; shared ones count once."""
    return sum(weights.numel() for weights in model.parameters())


def grow_vocabulary(model: Any, entries: int) -> None:
    """Give a continued network room for the control tokens that its tokenizer lacked."""
    if model.config.vocab_size < entries:
        model.resize_token_embeddings(entries)


def pick_device(wanted: str = "auto") -> torch.device:
    """Return the wanted device; by itself the accelerator when there is one, else the CPU.

    Raises TrainingError where an accelerator is wanted that PyTorch does not find.
    """
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise TrainingError(
            "PyTorch finds no GPU on this machine. Choose the CPU, or the automatic device."
        )
    return torch.device("cuda" if has_gpu and wanted != "cpu" else "cpu")


def check_entries(model: Any, entries: int) -> None:
    """Raise TrainingError for a tokenizer whose ids the network does not know."""
    known = int(model.config.vocab_size)
    if entries > known:
        raise TrainingError(
            f"The tokenizer has {entries:,} entries but the model knows only {known:,}."
            " Choose the tokenizer that belongs to the model."
        )
