"""PyTorch and ONNX Runtime as peers of the benchmark, and the models that it runs on.

`peer.py serve eager|sdpa|onnx` answers one JSON line for each that it reads, until there are no more; `cargo xtask bench
--peers` and `--gpu` ask. Text becomes token ids, and these lie on the device, before the clock starts. The peers are given
what makes them fast: no attention mask where all messages of a batch are of one length, no cache of keys and values,
inference mode.

`peer.py prepare` makes the GPT-Neo folder in the cache, and `peer.py prepare MINILM` the ONNX files too; what is there
already is kept.

Run with Python 3.11 and the versions of `requirements.txt`.
"""

import argparse
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import shutil
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, GPTNeoConfig, GPTNeoModel, PreTrainedModel, PreTrainedTokenizerFast
from transformers.activations import NewGELUActivation
from transformers.models.gpt_neo.modeling_gpt_neo import GPTNeoSelfAttention

Request = dict[str, Any]
Answer = dict[str, Any]
Forward = Callable[[Tensor, Tensor | None], Tensor]

GPT_NEO = "gpt-neo-125m"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
VOCAB_SIZE = 50257
WARM_STEPS = 3

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


class Pooled(nn.Module):
    """A network with its pooling: token ids in, one embedding a message out."""

    def __init__(self, network: PreTrainedModel, pooling: str) -> None:
        super().__init__()
        self.network = network
        self.pooling = pooling

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Takes the normalized mean or the last real token, in f32; without a mask every token is real."""
        kept = {"use_cache": False} if self.pooling == "last" else {}
        hidden = self.network(input_ids=ids, attention_mask=mask, **kept).last_hidden_state.float()
        if self.pooling == "last":
            return hidden[:, -1] if mask is None else hidden[torch.arange(hidden.shape[0], device=ids.device), mask.sum(1) - 1]
        if mask is None:
            return functional.normalize(hidden.mean(1), dim=1)
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


def fused_attention(
    self: GPTNeoSelfAttention, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None = None
) -> tuple[Tensor, None]:
    """What `GPTNeoSelfAttention._attn` computes, by PyTorch's fused kernel; GPT-Neo does not scale its scores."""
    length = query.size(-2)
    is_plain = attention_mask is None and (self.attention_type == "global" or length <= self.config.window_size)
    if is_plain:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=1.0), None
    seen = self.bias[:, :, :length, :length]
    mask = query.new_zeros(seen.shape).masked_fill(~seen, torch.finfo(query.dtype).min)
    mask = mask if attention_mask is None else mask + attention_mask
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0), None


def network(folder: Path, mode: str, dtype: str = "f32") -> PreTrainedModel:
    """Loads a network. `transformers` has no fused attention for GPT-Neo, so that `sdpa` puts PyTorch's own there, and
    its own GELU too."""
    is_gpt_neo = json.loads((folder / "config.json").read_text())["model_type"] == "gpt_neo"
    attention = "eager" if is_gpt_neo else mode
    model = AutoModel.from_pretrained(folder, dtype=DTYPES[dtype], attn_implementation=attention).eval()
    if is_gpt_neo and mode == "sdpa":
        for module in model.modules():
            if isinstance(module, GPTNeoSelfAttention):
                module._attn = fused_attention.__get__(module)
            if isinstance(getattr(module, "act", None), NewGELUActivation):
                module.act = nn.GELU(approximate="tanh")
    return model


class Peer:
    """One way to run the cases; what was loaded for one is kept for the next."""

    def __init__(self, mode: str, threads: int, models: Path, device: str) -> None:
        if device != "cpu" and not torch.cuda.is_available():
            sys.exit(f"PyTorch {torch.__version__} finds no GPU")
        torch.set_num_threads(threads)
        self.device = device
        self.mode = mode
        self.threads = threads
        self.models = models
        self.forward = cache(self.load)
        self.tokenize = cache(self.load_tokens)

    def answer(self, request: Request) -> Answer:
        """Runs one case."""
        return getattr(self, f"run_{request['case']}")(request)

    def run_versions(self, _: Request) -> Answer:
        """What is compared."""
        names = ["torch", "transformers", "numpy"] + (["onnxruntime"] if self.device == "cpu" else [])
        versions = {name: importlib.metadata.version(name) for name in names}
        if self.device != "cpu":
            versions["cuda"] = str(torch.version.cuda)
        return {"versions": {"python": platform.python_version(), **versions}}

    def run_encode(self, request: Request) -> Answer:
        """Encodes messages as one batch, padded to the longest."""
        folder = Path(request["model"])
        forward = self.forward(folder, request["pooling"], request.get("dtype", "f32"))
        ids, mask = self.tokenize(folder, tuple(request["messages"]))
        tokens = ids.numel() if mask is None else int(mask.sum())
        with torch.inference_mode():
            times = measure(lambda: self.wait(forward(ids, mask)), request["seconds"])
            values = forward(ids, mask) if request["check"] else None
        return {**times, "tokens": tokens, **shown(values)}

    def wait(self, values: Tensor) -> Tensor:
        """Waits until the device has nothing left to do."""
        if self.device != "cpu":
            torch.cuda.synchronize()
        return values

    def load(self, folder: Path, pooling: str, dtype: str) -> Forward:
        """The network of a folder."""
        if self.mode == "onnx":
            return onnx_session(onnx_file(self.models, folder), self.threads)
        return Pooled(network(folder, self.mode, dtype), pooling).to(self.device)

    def load_tokens(self, folder: Path, messages: tuple[str, ...]) -> tuple[Tensor, Tensor | None]:
        """Token ids and mask, on the device."""
        ids, mask = tokenize(folder, messages)
        return ids.to(self.device), None if mask is None else mask.to(self.device)

    def run_learn(self, request: Request) -> Answer:
        """One step of learning: scores, loss, gradient, weights."""
        uids, hidden, asked = request["uids"], request["hidden"], request["asked"]
        head, embedding = make_head(uids, hidden), numbers(hidden, seed=2)
        chosen = torch.arange(asked) * uids // asked
        rewards = (torch.arange(asked) % 5) / 4
        optimizer = torch.optim.SGD(head.parameters(), lr=request["learning_rate"], momentum=0.9)
        clears = request["gradient"] == "per-step"

        def step() -> None:
            scores = head(embedding)[chosen]
            loss = functional.mse_loss(scores.softmax(0), rewards.softmax(0))
            loss.backward()
            optimizer.step()
            if clears:
                optimizer.zero_grad()

        for _ in range(WARM_STEPS):
            step()
        values = head(embedding).detach() if request["check"] else None
        return {**measure(step, request["seconds"]), **shown(values)}

    def run_score(self, request: Request) -> Answer:
        """Scores every uid for an embedding."""
        uids, hidden = request["uids"], request["hidden"]
        head, embedding = make_head(uids, hidden), numbers(hidden, seed=2)
        with torch.inference_mode():
            times = measure(lambda: head(embedding).numpy(), request["seconds"])
            values = head(embedding) if request["check"] else None
        return {**times, **shown(values)}

    def run_product(self, request: Request) -> Answer:
        """Multiplies two square matrices."""
        size = request["size"]
        right, left = (numbers(size * size, seed).view(size, size) for seed in (0, 1))
        out = torch.empty(size, size)
        times = measure(lambda: torch.mm(left, right, out=out), request["seconds"])
        return {**times, **shown(out if request["check"] else None)}


def measure(work: Callable[[], Any], seconds: float) -> Answer:
    """Repeats some work for about so long, at least once."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return {"median": statistics.median(times), "min": min(times), "repeats": len(times)}


def shown(values: Tensor | None) -> Answer:
    """The numbers that are compared with those of other peers."""
    return {} if values is None else {"values": values.flatten().tolist()}


def numbers(count: int, seed: int) -> Tensor:
    """Numbers from -0.5 to 0.5 that every peer makes alike: a multiplicative hash of their indices."""
    hashed = (np.arange(count, dtype=np.uint64) + seed) * 2654435761 % 2**32
    return torch.from_numpy((hashed / 2**32 - 0.5).astype(np.float32))


def make_head(uids: int, hidden: int) -> nn.Linear:
    """A head of the usual size whose weights every peer makes alike."""
    head = nn.Linear(hidden, uids)
    scale = 2 / math.sqrt(hidden)
    with torch.no_grad():
        head.weight.copy_(numbers(uids * hidden, seed=0).view(uids, hidden) * scale)
        head.bias.copy_(numbers(uids, seed=1) * scale)
    return head


def tokenize(folder: Path, messages: tuple[str, ...]) -> tuple[Tensor, Tensor | None]:
    """Token ids, padded on the right, and the mask where it is needed."""
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))._tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = [torch.tensor(encoding.ids) for encoding in tokenizer.encode_batch(list(messages))]
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    mask = (torch.arange(ids.shape[1]) < lengths.unsqueeze(1)).long()
    return ids, None if bool(mask.all()) else mask


def onnx_file(models: Path, folder: Path) -> Path:
    """Where the ONNX file of a model lies: named by what it is made of."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    with (folder / "model.safetensors").open("rb") as weights:
        while block := weights.read(1 << 20):
            digest.update(block)
    return models / f"{digest.hexdigest()[:16]}.onnx"


def onnx_session(path: Path, threads: int) -> Forward:
    """ONNX Runtime with all its optimizations of the graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def forward(ids: Tensor, mask: Tensor | None) -> Tensor:
        mask = torch.ones_like(ids) if mask is None else mask
        return torch.from_numpy(session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})[0])

    return forward


def export(models: Path, folder: Path, pooling: str) -> None:
    """Writes the ONNX file of a model, for any number of messages and of tokens."""
    path = onnx_file(models, folder)
    if path.exists():
        return
    print(f"exporting {folder.name} to ONNX", file=sys.stderr)
    ids = torch.arange(1000, 1064).view(2, 32)
    mask = torch.ones_like(ids)
    mask[1, 20:] = 0
    partial = path.with_suffix(".partial")
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        Pooled(network(folder, "eager"), pooling),
        (ids, mask),
        str(partial),
        input_names=["ids", "mask"],
        output_names=["embeddings"],
        dynamic_axes={"ids": axes, "mask": axes, "embeddings": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    partial.rename(path)


def word(index: int) -> str:
    """A word of four letters for each token id."""
    return "".join(chr(ord("a") + index // 26**place % 26) for place in range(4))


def make_gpt_neo(folder: Path) -> None:
    """Makes a network of the size of GPT-Neo-125m with random weights, whose tokenizer has one word a token."""
    if folder.exists():
        return
    print(f"making {folder.name} with random weights", file=sys.stderr)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    torch.manual_seed(7)
    layers = [[["global", "local"], 6]]
    sizes = {"hidden_size": 768, "num_layers": 12, "num_heads": 12, "attention_types": layers, "window_size": 256}
    model = GPTNeoModel(GPTNeoConfig(vocab_size=VOCAB_SIZE, max_position_embeddings=2048, **sizes))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter += torch.randn_like(parameter) * 0.02
    model.save_pretrained(partial)
    vocabulary = {word(index): index for index in range(VOCAB_SIZE)}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": word(0)},
    }
    (partial / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (partial / "tokenizer_config.json").write_text('{"model_max_length": 2048}\n', encoding="utf-8")
    partial.rename(folder)


def prepare(models: Path, minilm: Path | None) -> None:
    """Makes what the benchmark runs on; ONNX files only beside a sentence model."""
    models.mkdir(parents=True, exist_ok=True)
    make_gpt_neo(models / GPT_NEO)
    if minilm is not None:
        export(models, minilm, "mean")
        export(models, models / GPT_NEO, "last")


def serve(peer: Peer) -> None:
    """Answers every line."""
    # Whatever a library prints must not look like an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            answer = peer.answer(json.loads(line))
        except Exception as error:  # The one who asked has to be told, whatever it is.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True, help="the folder of what `prepare` makes")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("minilm", type=Path, nargs="?")
    served = commands.add_parser("serve")
    served.add_argument("mode", choices=["eager", "sdpa", "onnx"])
    served.add_argument("--threads", type=int, required=True)
    served.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    if options.command == "prepare":
        prepare(options.models, options.minilm)
    else:
        serve(Peer(options.mode, options.threads, options.models, options.device))


if __name__ == "__main__":
    main()
