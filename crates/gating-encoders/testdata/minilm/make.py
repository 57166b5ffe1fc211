"""Makes `expected.json` and `head.safetensors`: what the reference computes from the real all-MiniLM-L6-v2.

The weights are not kept here; `--model` names a folder that holds them, and `weights_sha256` says which ones they were:
the SHA-256 of its `model.safetensors`. `tokens` holds the length of each window, special tokens included, without
padding; `embedding` is the one of `SentenceEmbedGatingModel`, and `scores` the head's answer to it.

Run with Python 3.11 and the versions of the workspace's `testdata/requirements.txt`.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "testdata"))
from reference import Reference, arguments, floats, write_cases  # noqa: E402

NUM_UIDS = 16

TEXT = """
Every morning the keeper of the lighthouse climbs two hundred narrow steps, wipes the salt from the great glass lens and
writes the weather in a leather notebook. Ships pass far below, slow as beetles on a green table; some of them answer
his lamp with a horn, most of them do not. On Sundays a boat brings bread, letters, paraffin and newspapers, and the
children of the village shout questions across the water. How deep is the sea here? Does the light ever sleep? He says
that light travels faster than any rumour, that electricity will replace him before long, and that nobody yet has built
a machine which enjoys a thunderstorm. In winter the waves reach the kitchen window, the thermometer falls under zero,
and he reads old encyclopaedias aloud to an unimpressed cat.
"""


def messages(reference: Reference) -> dict[str, str]:
    """The message of each case; lengths in their names leave out the special tokens."""
    words = TEXT.split()
    return {
        "empty": "",
        "one word": "Lighthouse",
        "four scripts": "Where is the library? Где находится библиотека? 图书馆在哪里？ أين تقع المكتبة؟",
        "700 tokens": reference.prose(words, 700, seed=700),
        "1500 tokens": reference.prose(words, 1500, seed=1500),
    }


def case(reference: Reference, head: torch.nn.Linear, name: str, message: str) -> dict[str, Any]:
    """One case of `expected.json`."""
    encoded = reference.encode(message)
    return {
        "name": name,
        "message": message,
        "tokens": [len(window) for window in encoded.windows],
        "embedding": floats(encoded.embedding),
        "scores": floats(head(encoded.embedding)),
    }


@torch.no_grad()
def main() -> None:
    parser = arguments(__file__)
    parser.add_argument("--model", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    reference = Reference(options.model)
    torch.manual_seed(5)
    head = torch.nn.Linear(reference.model.config.hidden_size, NUM_UIDS)
    save_file(head.state_dict(), options.out / "head.safetensors")
    cases = [case(reference, head, name, message) for name, message in messages(reference).items()]
    digest = hashlib.sha256((options.model / "model.safetensors").read_bytes()).hexdigest()
    write_cases(options.out / "expected.json", cases, weights_sha256=digest)


if __name__ == "__main__":
    main()
