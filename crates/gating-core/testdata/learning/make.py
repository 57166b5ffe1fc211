"""Makes `learning.safetensors` and `loss.json`: how the reference learns, step by step, and its loss alone.

`learning.safetensors` holds 300 steps of `torch.nn.Linear` under `torch.optim.SGD` in both gradient modes, in f32:
`accumulate` never clears the gradients, as the reference, and `per_step` clears them before each backward pass. Each
mode runs at the default learning rate, where the weights move less than f32 can follow closely, and at a far higher
one (`*_fast`), where the largest change is about as large as the weights.
`loss.json` holds the loss and its gradient with respect to the scores, in f64; its inputs are exact in f32.

Run with Python 3.11 and the versions of the workspace's `testdata/requirements.txt`.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.nn.functional import mse_loss

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "testdata"))
from reference import arguments, write_cases  # noqa: E402

NUM_UIDS, HIDDEN_SIZE, ASKED, STEPS = 1024, 64, 50, 300
MOMENTUM = 0.9
# The name of a run: its learning rate, and whether gradients are cleared.
RUNS = {
    "accumulate": (0.01, False),
    "per_step": (0.01, True),
    "accumulate_fast": (3.0, False),
    "per_step_fast": (100.0, True),
}

Tensors = dict[str, torch.Tensor]


def loss_of(scores: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
    """The loss over the uids that were asked."""
    return mse_loss(torch.softmax(scores, dim=0), torch.softmax(rewards, dim=0))


def draw_steps() -> Tensors:
    """Embeddings of norm about 3 and rewards in `[0, 4]`, both larger than in use, so that the weights move visibly."""
    return {
        "embeddings": torch.randn(STEPS, HIDDEN_SIZE) * (3.0 / HIDDEN_SIZE**0.5),
        "uids": torch.stack([torch.randperm(NUM_UIDS)[:ASKED] for _ in range(STEPS)]).to(torch.int32),
        "rewards": torch.rand(STEPS, ASKED) * 4.0,
    }


def learn(initial: torch.nn.Linear, steps: Tensors, learning_rate: float, clear_gradients: bool) -> Tensors:
    """Runs every step from the initial layer and gives the last weights and every loss."""
    head = torch.nn.Linear(HIDDEN_SIZE, NUM_UIDS)
    head.load_state_dict(initial.state_dict())
    optimizer = torch.optim.SGD(head.parameters(), lr=learning_rate, momentum=MOMENTUM)
    losses = []
    for embedding, uids, rewards in zip(steps["embeddings"], steps["uids"].long(), steps["rewards"]):
        if clear_gradients:
            optimizer.zero_grad()
        loss = loss_of(head(embedding)[uids], rewards)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return {"weight": head.weight.detach(), "bias": head.bias.detach(), "losses": torch.stack(losses)}


def learning() -> Tensors:
    """All tensors of `learning.safetensors`."""
    torch.manual_seed(1)
    initial = torch.nn.Linear(HIDDEN_SIZE, NUM_UIDS)
    tensors = draw_steps()
    runs = {"initial": {name: value.detach() for name, value in initial.named_parameters()}}
    for name, (learning_rate, clear_gradients) in RUNS.items():
        runs[name] = learn(initial, tensors, learning_rate, clear_gradients)
    named = {f"{run}.{name}": value for run, values in runs.items() for name, value in values.items()}
    return tensors | named


def loss_case(name: str, scores: torch.Tensor, rewards: torch.Tensor) -> dict[str, Any]:
    """One case of `loss.json`, from inputs that f32 holds exactly."""
    scores, rewards = scores.float().double().requires_grad_(), rewards.float().double()
    loss = loss_of(scores, rewards)
    (gradient,) = torch.autograd.grad(loss, scores)
    return {
        "name": name,
        "scores": scores.tolist(),
        "rewards": rewards.tolist(),
        "loss": loss.item(),
        "gradient": gradient.tolist(),
    }


def loss_cases() -> list[dict[str, Any]]:
    """All cases of `loss.json`."""
    torch.manual_seed(2)
    tensor = torch.tensor
    few = tensor([0.5, -1.25, 2.0, 0.0, -0.75])
    return [
        loss_case("one uid", tensor([0.3]), tensor([0.7])),
        loss_case("two uids", tensor([0.25, -0.5]), tensor([0.0, 1.0])),
        loss_case("equal rewards", few, torch.full((5,), 0.5)),
        loss_case("rewards of zero", few, torch.zeros(5)),
        loss_case("equal scores", torch.zeros(5), few),
        loss_case("scores equal to rewards", few, few),
        loss_case("scores shifted by 80", few + 80.0, few.flip(0)),
        loss_case("one score of 80 among -80", tensor([-80.0, 80.0, -80.0, -80.0]), tensor([1.0, 0.5, 0.25, 0.0])),
        loss_case("scores of 80 and -80 in turn", tensor([80.0, -80.0] * 4), torch.rand(8)),
        loss_case("scores beyond exp in f32", tensor([500.0, 499.0, -500.0]), tensor([0.0, 1.0, 2.0])),
        loss_case("rewards of 80 and -80", torch.randn(6), tensor([80.0, -80.0, 0.0, 79.0, -79.0, 1.0])),
        loss_case("50 uids", torch.randn(50) * 0.3, torch.rand(50)),
        loss_case("200 uids", torch.randn(200) * 2.0, torch.rand(200) * 4.0),
    ]


def main() -> None:
    out = arguments(__file__).parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    save_file(learning(), out / "learning.safetensors")
    write_cases(out / "loss.json", loss_cases())


if __name__ == "__main__":
    main()
