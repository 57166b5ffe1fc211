"""Makes the network that `gating doctor` tries devices with, and its embedding by the reference.

Run with Python 3.11 and the versions of the workspace's `testdata/requirements.txt`.
"""

import json
import sys
from pathlib import Path

from transformers import BertConfig, BertModel

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "testdata"))
from reference import Reference, arguments, floats, randomize  # noqa: E402
from vocabulary import BERT_NAMES, write_wordpiece  # noqa: E402

MESSAGE = "Which miner should I ask about learning, and why that one?"


def main() -> None:
    out = arguments(__file__).parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    vocab_size = write_wordpiece(out, "BertTokenizer", BERT_NAMES, 48)
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        hidden_act="gelu",
        max_position_embeddings=64,
    )
    model = BertModel(config)
    randomize(model, scale=0.3, seed=11)
    model.save_pretrained(out)
    expected = {"message": MESSAGE, "embedding": floats(Reference(out).encode(MESSAGE).embedding)}
    (out / "expected.json").write_text(json.dumps(expected) + "\n")
    for name in ["special_tokens_map.json", "vocab.txt"]:
        (out / name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
