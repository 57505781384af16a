"""The forward pass of training: the same weights and numbers as transformers', sooner."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import GPT2LMHeadModel, LlamaForCausalLM

from training_app.lm.methods.lora import LoraLinear

# Longest context for which plain matmuls beat the CPU's fused attention, which is slow backwards:
# on two AVX-512 cores they trained 20 % more tokens a second at 64 and 9 % more at 256.
_PLAIN_LIMIT = 256


class FastLoss(nn.Module):
    """Losses of a network, computed straight from its weights where its family is known."""

    def __init__(self, model: Any, *, counted_only: bool = False) -> None:
        """With `counted_only` the head reads what has a weight only: sooner where little has."""
        super().__init__()
        self.model = model
        self.counted_only = counted_only
        self.states_of = _states_function(model)

    def forward(self, ids: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted sum of the token losses, in nats: (batch, steps) thrice -> ()."""
        if not self.counted_only or self.states_of is None:
            return (self.token_losses(ids, targets) * weights).sum()
        counted = weights.reshape(-1) > 0
        states = self.states_of(self.model, ids).flatten(0, 1)[counted]
        logits = self.model.lm_head(states).float()
        losses = functional.cross_entropy(logits, targets.reshape(-1)[counted], reduction="none")
        return (losses * weights.reshape(-1)[counted]).sum()

    def token_losses(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each target in nats: (batch, steps) -> (batch, steps)."""
        logits = self.logits(ids).float()
        flat = functional.cross_entropy(
            logits.view(-1, logits.shape[-1]), targets.reshape(-1), reduction="none"
        )
        return flat.view_as(targets)

    def logits(self, ids: Tensor) -> Tensor:
        """Return the logits of ids: (batch, steps) -> (batch, steps, entries)."""
        if self.states_of is not None:
            logits: Tensor = self.model.lm_head(self.states_of(self.model, ids))
            return logits
        own: Tensor = self.model(input_ids=ids, use_cache=False).logits
        return own


def _states_function(model: Any) -> Callable[[Any, Tensor], Tensor] | None:
    """Return how this family's last states are computed; None where only the model itself knows."""
    config = model.config
    if isinstance(model, GPT2LMHeadModel):
        plain = config.scale_attn_weights and not config.scale_attn_by_inverse_layer_idx
        return _gpt2_states if plain and config.activation_function == "gelu_new" else None
    if isinstance(model, LlamaForCausalLM):
        plain = config.rope_scaling is None and config.hidden_act == "silu"
        return _llama_states if plain else None
    return None


def _attention(q: Tensor, k: Tensor, v: Tensor, drop: float) -> Tensor:
    """Attend causally: (B, H, T, D), keys and values perhaps fewer heads -> (B, T, H * D).

    Scaled dot products (Vaswani et al. 2017, section 3.2.1); each key and value head serves a group
    of query heads (GQA, Ainslie et al. 2023, section 2.2).
    """
    batch, heads, length, size = q.shape
    if k.shape[1] != heads:
        k = k.repeat_interleave(heads // k.shape[1], dim=1)
        v = v.repeat_interleave(heads // v.shape[1], dim=1)
    if q.is_cpu and length <= _PLAIN_LIMIT:
        future = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(size))  # (B, H, T, T)
        shares = scores.masked_fill(future, float("-inf")).softmax(-1)
        mixed = functional.dropout(shares, drop).to(v.dtype) @ v
    else:
        mixed = functional.scaled_dot_product_attention(q, k, v, dropout_p=drop, is_causal=True)
    return mixed.transpose(1, 2).reshape(batch, length, heads * size)


def _heads(x: Tensor, size: int) -> Tensor:
    """Split the width into heads: (B, T, H * D) -> (B, H, T, D)."""
    return x.view(*x.shape[:2], -1, size).transpose(1, 2)


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pairs by their position: (B, H, T, D), halves as transformers pairs them.

    RoPE (Su et al. 2021, section 3.4.2), where the pairs are neighbours instead.
    """
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def _rms_norm(x: Tensor, norm: Any) -> Tensor:
    """Divide by the root mean square, in fp32: RMSNorm (Zhang & Sennrich 2019, section 4)."""
    wide = x.float()
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)
    normed: Tensor = norm.weight * (wide * scale)
    return normed


def _llama_states(model: Any, ids: Tensor) -> Tensor:
    """Return llama's last states: (B, T) -> (B, T, C); SwiGLU inside (Shazeer 2020)."""
    base, config = model.model, model.config
    size = config.head_dim
    x = base.embed_tokens(ids)  # (B, T, C)
    angles = torch.outer(
        torch.arange(ids.shape[1], device=ids.device, dtype=torch.float32),
        base.rotary_emb.inv_freq.float(),
    )
    cos, sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)  # (T, D)
    drop = config.attention_dropout if model.training else 0.0
    for block in base.layers:
        attention, y = block.self_attn, _rms_norm(x, block.input_layernorm)
        q = _rotated(_heads(attention.q_proj(y), size), cos, sin)
        k = _rotated(_heads(attention.k_proj(y), size), cos, sin)
        v = _heads(attention.v_proj(y), size)
        x = x + attention.o_proj(_attention(q.to(v.dtype), k.to(v.dtype), v, drop))
        y, mlp = _rms_norm(x, block.post_attention_layernorm), block.mlp
        x = x + mlp.down_proj(functional.silu(mlp.gate_proj(y)) * mlp.up_proj(y))
    return _rms_norm(x, base.norm)


def _conv(x: Tensor, layer: Any) -> Tensor:
    """Apply GPT-2's linear layer, whose weights are stored (in, out)."""
    if isinstance(layer, LoraLinear):
        return _conv(x, layer.base) + layer.beside(x)
    return functional.linear(x, layer.weight.t(), layer.bias)


def _gpt2_states(model: Any, ids: Tensor) -> Tensor:
    """Return GPT-2's last states: (B, T) -> (B, T, C); GELU by tanh (Hendrycks & Gimpel 2016)."""
    base, config = model.transformer, model.config
    size = config.n_embd // config.n_head
    drop = config.resid_pdrop if model.training else 0.0
    positions = torch.arange(ids.shape[1], device=ids.device)
    x = functional.dropout(base.wte(ids) + base.wpe(positions), drop)  # (B, T, C)
    for block in base.h:
        packed = _conv(block.ln_1(x), block.attn.c_attn)
        q, k, v = (_heads(part, size) for part in packed.chunk(3, dim=-1))
        mixed = _conv(_attention(q, k, v, drop), block.attn.c_proj)
        x = x + functional.dropout(mixed, drop)
        inner = functional.gelu(_conv(block.ln_2(x), block.mlp.c_fc), approximate="tanh")
        x = x + functional.dropout(_conv(inner, block.mlp.c_proj), drop)
    states: Tensor = base.ln_f(x)
    return states
