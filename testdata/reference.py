"""What the reference computes from a message, for every `make.py` of this workspace.

Written anew from the behavior of `prompting.validators.gating` (opentensor/text-prompting, 2023). Run with Python 3.11
and the versions of `requirements.txt`. Rebuilding on the same processor gives the same bytes; on another one the last
digits of the floats may differ.
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from safetensors.torch import save_file
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


NUM_UIDS = 16
"""How many uids the heads beside tiny networks score."""


class Encoded(NamedTuple):
    """The token ids and hidden states of each window without padding, and both kinds of embedding."""

    windows: list[list[int]]
    hidden: list[torch.Tensor]
    last_token: torch.Tensor
    embedding: torch.Tensor


class Reference:
    """The frozen network and the tokenizer of one model folder."""

    def __init__(self, folder: Path, **config: Any) -> None:
        """Opens a model folder; `config` stands in for what its `config.json` says."""
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.model: PreTrainedModel = AutoModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", **config
        ).eval()

    @torch.no_grad()
    def encode(self, message: str) -> Encoded:
        """Encodes a message as `GatingModel` (last token) and `SentenceEmbedGatingModel` (embedding) do."""
        batch = self.tokenizer(
            message, truncation=True, return_overflowing_tokens=True, padding=True, return_tensors="pt"
        )
        batch.pop("overflow_to_sample_mapping")
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"]
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        kept = mask.bool()
        return Encoded(
            windows=[ids[kept].tolist() for ids, kept in zip(batch["input_ids"], kept)],
            hidden=[states[kept] for states, kept in zip(hidden, kept)],
            last_token=hidden[0, -1, :],
            embedding=normalize(pooled, p=2, dim=1).mean(0),
        )

    def count(self, text: str) -> int:
        """How many tokens a text has, without special tokens."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def prose(self, words: list[str], tokens: int, seed: int) -> str:
        """Draws words until the text has exactly so many tokens, special tokens not counted."""
        draw = random.Random(seed)
        text = ""
        while (length := self.count(text)) < tokens:
            longer = f"{text} {draw.choice(words)}".lstrip()
            if length < self.count(longer) <= tokens:
                text = longer
        return text


def randomize(model: torch.nn.Module, scale: float, seed: int) -> None:
    """Draws every parameter anew, far larger than at the start of a training, so that no error hides behind a zero.

    Matrices get the standard deviation `scale`, biases 0.2, and gains of layer norms lie around 1 with 0.2.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.2 if parameter.dim() == 1 else scale, generator=generator)
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.weight += 1.0


@torch.no_grad()
def tiny_case(reference: Reference, head: torch.nn.Linear, name: str, message: str) -> dict[str, Any]:
    """What both gating models make of a message, and of a short one every hidden state too."""
    encoded = reference.encode(message)
    case = {
        "name": name,
        "message": message,
        "windows": encoded.windows,
        "last_token": floats(encoded.last_token),
        "last_token_scores": floats(head(encoded.last_token)),
        "embedding": floats(encoded.embedding),
        "scores": floats(head(encoded.embedding)),
    }
    if len(encoded.windows) == 1 and len(encoded.windows[0]) <= 8:
        case["hidden"] = [floats(state) for state in encoded.hidden[0]]
    return case


def write_tiny(folder: Path, reference: Reference, messages: dict[str, str], **more: Any) -> None:
    """Writes `head.safetensors` and `expected.json` beside a tiny network.

    In `expected.json`, `windows` holds the token ids without padding, `last_token` the embedding of `GatingModel` and
    `embedding` the one of `SentenceEmbedGatingModel`, each with the head's answer to it. `hidden` holds the last hidden
    states of a short message.
    """
    torch.manual_seed(5)
    head = torch.nn.Linear(reference.model.config.hidden_size, NUM_UIDS)
    save_file(head.state_dict(), folder / "head.safetensors")
    cases = [tiny_case(reference, head, name, message) for name, message in messages.items()]
    write_cases(folder / "expected.json", cases, **more)


def floats(values: torch.Tensor) -> list[float]:
    """The shortest decimals that read back to the same values."""
    return [float(str(value)) for value in values.numpy()]


def arguments(script: str) -> argparse.ArgumentParser:
    """The options that every `make.py` takes; the output folder is the script's own unless it is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path(script).resolve().parent, help="where to write")
    return parser


def write_json(path: Path, value: Any) -> None:
    """Writes a small file as a user would find it beside a model."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_cases(path: Path, cases: list[dict[str, Any]], **head: Any) -> None:
    """Writes `{...head, "cases": [...]}`, one case a line."""
    fields = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    path.write_text("{" + ",\n".join([*fields, f'"cases": [\n{lines}\n]']) + "}\n", encoding="utf-8")
