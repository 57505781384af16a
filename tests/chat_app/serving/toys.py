"""Small models made on the spot, one of them trained on four chats."""

from __future__ import annotations

import json

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from chat_app.serving.export import write_graph
from datasets_app.corpus.conversation import ASSISTANT, USER, Conversation, Turn
from training_app.lm.otto_template import CONTROL_TOKENS, OttoTemplate

CHATS = [
    ("How do I reset my password?", "Open the settings, choose “Security” and press reset."),
    ("When are you open?", "We are open from nine to five, Monday to Friday. ☕"),
    ("Where is my parcel?", "Your parcel left the house yesterday; it arrives on Friday."),
    ("Can I pay by invoice?", "Yes, you can pay by invoice within thirty days."),
]
CONTEXT = 256


def byte_tokenizer(merges=60):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + len(CONTROL_TOKENS) + merges,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for chat in CHATS for text in chat], trainer)
    return tokenizer


def gpt2(vocab, **changes):
    values = {"n_embd": 32, "n_head": 4, "n_layer": 2, "n_positions": CONTEXT} | changes
    return GPT2LMHeadModel(GPT2Config(vocab_size=vocab, bos_token_id=0, eos_token_id=0, **values))


def llama(vocab, **changes):
    values = {
        "hidden_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "intermediate_size": 96,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
    } | changes
    return LlamaForCausalLM(LlamaConfig(vocab_size=vocab, bos_token_id=0, eos_token_id=0, **values))


def blur(model, spread=0.2):
    """Give biases and norms values too, so that a forgotten one shows."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(spread * torch.randn_like(parameter))


def save(model, tokenizer, folder):
    model.eval().save_pretrained(folder)
    OttoTemplate.of(tokenizer).save(folder, context=CONTEXT)
    config = json.loads((folder / "config.json").read_text())
    assert config["architectures"]
    for precision in ("fp32", "row-int8"):
        write_graph(folder, precision)
    return folder


TALKS = [(Turn(USER, ask), Turn(ASSISTANT, answer)) for ask, answer in CHATS]


def teach(model, template, talks=TALKS, steps=90):
    """Train until the model knows the four chats well enough to end its answers."""
    rows = [template.encode(Conversation(talk)).ids for talk in talks]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(steps):
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def taught(folder):
    """Make a tiny llama that knows the four chats by heart, in Hugging Face layout."""
    torch.manual_seed(1)
    tokenizer = byte_tokenizer()
    model = llama(tokenizer.get_vocab_size())
    teach(model, OttoTemplate.of(tokenizer))
    return save(model, tokenizer, folder)
