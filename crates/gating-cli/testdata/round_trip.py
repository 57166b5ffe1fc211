"""Takes heads through the command `gating` and back, with the real PyTorch at both ends.

PyTorch writes heads in both of its formats and in three types, and as safetensors; `gating checkpoint import` makes
checkpoints of them, `gating learn` moves one of them, and `gating checkpoint export` writes what they hold. That is read
as the users of PyTorch read it, by `torch.load(weights_only=True)` and `Linear.load_state_dict`, and every bit must be the
same. The Python that the page about checkpoints shows is run as well. Weights are drawn from all bits that are finite numbers, each time anew: the seed is printed where one differs.

`cargo xtask golden --check` and `--round-trip` run it with the versions of the workspace's `testdata/requirements.txt`.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "testdata"))
from legacy import legacy  # noqa: E402

MODEL = Path(__file__).resolve().parents[2] / "gating-encoders/testdata/tiny-bert"
PAGE = Path(__file__).resolve().parents[3] / "docs/checkpoint.md"
HIDDEN_SIZE = 32
# As many rows as a file of one, of a few, and of more than one buffer has.
NUM_UIDS = (1, 8, 1024)
TYPES = {torch.float32: torch.int32, torch.float16: torch.int16, torch.bfloat16: torch.int16}

State = dict[str, torch.Tensor]


def draw(shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator) -> torch.Tensor:
    """Finite numbers of any bits: of every size, zeros with a sign and subnormal ones among them."""
    bits = TYPES[dtype]
    limits = torch.iinfo(bits)
    values = torch.randint(limits.min, limits.max, shape, dtype=bits, generator=generator).view(dtype)
    return torch.where(values.isfinite(), values, -torch.zeros(1, dtype=dtype))


def bits(tensor: torch.Tensor) -> torch.Tensor:
    """What no comparison of floats sees: the sign of a zero."""
    return tensor.detach().contiguous().view(torch.int32)


def check(expected: State, found: State, what: str) -> None:
    """Compares two heads bit by bit, the latter as `Linear.load_state_dict` takes it."""
    weight = expected["weight"]
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict(found)
    for name, tensor in layer.named_parameters():
        if not torch.equal(bits(tensor), bits(expected[name])):
            raise SystemExit(f"{what}: `{name}` came back with other bits")


class Command:
    """The command, in a folder where nothing else decides its settings."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program, self.folder = program, folder
        # A command with LibTorch finds it by the second.
        names = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        self.environment = {**kept, "HOME": str(folder), "HF_HUB_OFFLINE": "1"}

    def run(self, *args: object) -> None:
        line = [str(arg) for arg in (self.program, *args, "--quiet")]
        done = subprocess.run(line, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(line)} ended with {done.returncode}\n{done.stderr}")

    def take(self, file: Path) -> Path:
        """Imports a head, and names its checkpoint."""
        state = file.with_suffix(".state")
        settings = ("--gating.model_name", MODEL, "--neuron.use_custom_gating_model")
        self.run("checkpoint", "import", file, "--checkpoint", state, *settings)
        return state

    def check_exported(self, state: Path, expected: State, what: str) -> None:
        """Exports the head of a checkpoint in every format, and reads it back."""
        for name in ("exported.pth", "exported.pt", "exported.safetensors"):
            file = self.folder / name
            self.run("checkpoint", "export", file, state)
            found = load_file(file) if file.suffix == ".safetensors" else torch.load(file, weights_only=True)
            check(expected, found, f"{what} to {name}")


def newest(state: Path) -> State:
    """The head in the newest checkpoint of a folder."""
    return load_file(state / (state / "latest").read_text().strip())


def write(folder: Path, name: str, head: State) -> list[Path]:
    """Writes a head in every format."""
    files = [folder / f"{name}.{format}" for format in ("zip.pth", "legacy.pth", "safetensors")]
    torch.save(head, files[0])
    files[1].write_bytes(legacy(head))
    save_file(head, files[2])
    return files


def learn(command: Command, state: Path) -> None:
    command.run("learn", "--message", "hi", "--uids", "3,5", "--rewards", "0,1", "--checkpoint", state)


def check_page(command: Command, state: Path) -> None:
    """Runs what the page shows, beside a checkpoint that has the name and number it shows."""
    [code] = [text.split("```")[0] for text in PAGE.read_text().split("```python\n")[1:]]
    page = command.folder / "page"
    page.mkdir()
    state.rename(page / "state")
    file = page / code.split('"')[1]
    for _ in range(20):
        if not file.exists():
            learn(command, page / "state")
    os.chdir(page)
    names: dict[str, State] = {}
    exec(compile(code, PAGE.name, "exec"), names)
    expected = newest(page / "state")
    check(expected, {name: names["tensors"][name] for name in ("weight", "bias")}, PAGE.name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gating", type=Path, required=True, help="the command")
    parser.add_argument("--out", type=Path, required=True, help="an empty folder")
    parser.add_argument("--seed", type=int, default=torch.seed() % 2**32, help="decides the weights")
    options = parser.parse_args()
    folder = options.out.resolve()
    folder.mkdir(parents=True)
    print(f"seed {options.seed}")
    generator = torch.Generator().manual_seed(options.seed)
    command = Command(options.gating.resolve(), folder)
    count = 0
    for num_uids in NUM_UIDS:
        for dtype in TYPES:
            shapes = {"weight": (num_uids, HIDDEN_SIZE), "bias": (num_uids,)}
            head = {name: draw(shape, dtype, generator) for name, shape in shapes.items()}
            wide = {name: tensor.float() for name, tensor in head.items()}
            for file in write(folder, f"{num_uids}-{str(dtype).removeprefix('torch.')}", head):
                state = command.take(file)
                check(wide, {name: newest(state)[name] for name in wide}, f"{file.name} to a checkpoint")
                command.check_exported(state, wide, file.name)
                count += 1
    layer = torch.nn.Linear(HIDDEN_SIZE, 8)
    state = command.take(write(folder, "learned", dict(layer.state_dict()))[0])
    learn(command, state)
    learned = {name: newest(state)[name] for name in layer.state_dict()}
    if torch.equal(learned["weight"], layer.weight):
        raise SystemExit("nothing was learned")
    command.check_exported(state, learned, "what was learned")
    check_page(command, state)
    print(f"{count + 1} heads came back to the bit")


if __name__ == "__main__":
    main()
