"""Makes a tiny GPT-Neo model folder with random weights, and `expected.json`: what the reference computes from it.

Its layers attend globally and locally in turn, the local ones to the last 8 tokens, the token itself included.

In `expected.json`, `windows` holds the token ids without padding, `last_token` the embedding of `GatingModel`, and
`embedding` the one of `SentenceEmbedGatingModel`. The padding token is the end-of-text token, as in the reference; a
message that holds the latter by itself is still attended to.

Run with Python 3.11 and the versions of the workspace's `testdata/requirements.txt`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import GPTNeoConfig, GPTNeoModel

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "testdata"))
from reference import Reference, arguments, floats, randomize, write_cases, write_json  # noqa: E402

WINDOW = 64
LOCAL_WINDOW = 8
VOCAB_SIZE = 400
END_OF_TEXT = "<|endoftext|>"
SPECIAL_NAMES = {"bos_token": END_OF_TEXT, "eos_token": END_OF_TEXT, "unk_token": END_OF_TEXT}

TEXT = """
The validator asks a few miners for an answer, and the gating model says which of them to ask. It reads the message,
scores every miner by what it has learned from the rewards, and the best ones are called. A miner that answers well is
asked again; one that answers badly is asked less and less. When a new miner takes the place of an old one, what was
learned about the old one is forgotten. How do I keep the scores of the others? Write them down before the program ends,
and read them again when it starts. The quick brown fox jumps over the lazy dog, 1234567890 times. We are learning to
learn, asking what to ask, scoring the scores and rewarding the rewards of the models that model the network.
Где находится библиотека и кто сегодня отвечает на вопросы? Съешь ещё этих мягких французских булок.
"""


def write_tokenizer(folder: Path) -> None:
    """Trains the tokenizer on the text and writes its five files; the end-of-text token comes last, as in GPT-2."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - 1,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.add_special_tokens([AddedToken(END_OF_TEXT, normalized=False)])
    tokenizer.save(str(folder / "tokenizer.json"))

    trained = json.loads(tokenizer.to_str())["model"]
    merges = "".join(f"{left} {right}\n" for left, right in trained["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    write_json(folder / "vocab.json", trained["vocab"] | {END_OF_TEXT: VOCAB_SIZE - 1})
    config = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": WINDOW, "add_prefix_space": False}
    write_json(folder / "tokenizer_config.json", config | SPECIAL_NAMES)
    write_json(folder / "special_tokens_map.json", SPECIAL_NAMES)


def write_model(folder: Path) -> None:
    """Writes `config.json` and `model.safetensors`."""
    config = GPTNeoConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=32,
        num_layers=4,
        num_heads=4,
        attention_types=[[["global", "local"], 2]],
        window_size=LOCAL_WINDOW,
        max_position_embeddings=WINDOW,
        activation_function="gelu_new",
        bos_token_id=VOCAB_SIZE - 1,
        eos_token_id=VOCAB_SIZE - 1,
    )
    model = GPTNeoModel(config)
    # Its attention scores are not divided by the square root of the head's size: 0.2 keeps them from saturating.
    randomize(model, scale=0.2, seed=4)
    model.save_pretrained(folder)


def messages(reference: Reference) -> dict[str, str]:
    """The message of each case: lengths around the local window, around the longest window, and several windows."""
    words = TEXT.split()
    around = [LOCAL_WINDOW - 1, LOCAL_WINDOW, LOCAL_WINDOW + 1, WINDOW - 1, WINDOW, WINDOW + 1]
    return {
        "1 token": "s",
        **{f"{length} tokens": reference.prose(words, length, seed=length) for length in around},
        "300 tokens in five windows": reference.prose(words, 300, seed=300),
        "a sentence": "Which miner should I ask about learning, and why that one?",
        "spaces and line breaks": "  ask\n\n\tthe   miner  ",
        "several scripts and emoji": "Café ёлка 东京 مرحبا नमस्ते 🦊👩‍💻!",
        "end-of-text in the text": f"ask the miner{END_OF_TEXT}again{END_OF_TEXT}",
    }


def case(reference: Reference, name: str, message: str) -> dict[str, Any]:
    """One case of `expected.json`."""
    encoded = reference.encode(message)
    return {
        "name": name,
        "message": message,
        "windows": encoded.windows,
        "last_token": floats(encoded.last_token),
        "embedding": floats(encoded.embedding),
    }


def main() -> None:
    out = arguments(__file__).parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    write_tokenizer(out)
    write_model(out)
    reference = Reference(out)
    cases = [case(reference, name, message) for name, message in messages(reference).items()]
    write_cases(out / "expected.json", cases)


if __name__ == "__main__":
    main()
