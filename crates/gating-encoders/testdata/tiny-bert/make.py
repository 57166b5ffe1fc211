"""Makes a tiny BERT model folder with random weights, and `expected.json`: what the reference computes from it.

`tokenizer.json` carries a truncation and a fixed padding to 16 tokens, as all-MiniLM-L6-v2 carries ones to 128. The
reference overrides both: its windows are as long as `model_max_length` of `tokenizer_config.json`, here 48.

In `expected.json`, `windows` holds the token ids without padding, `last_token` the embedding of `GatingModel`, and
`embedding` the one of `SentenceEmbedGatingModel`.

Run with Python 3.11 and the versions of the workspace's `testdata/requirements.txt`.
"""

import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import BertConfig, BertModel

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "testdata"))
from reference import Reference, arguments, floats, randomize, write_cases, write_json  # noqa: E402

WINDOW = 48
SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SPECIAL_NAMES = {f"{token.strip('[]').lower()}_token": token for token in SPECIAL_TOKENS}

TEXT = """
The validator asks a few miners for an answer, and the gating model says which of them to ask. It reads the message,
scores every miner by what it has learned from the rewards, and the best ones are called. A miner that answers well is
asked again; one that answers badly is asked less and less. When a new miner takes the place of an old one, what was
learned about the old one is forgotten. How do I keep the scores of the others? Write them down before the program ends,
and read them again when it starts. The quick brown fox jumps over the lazy dog, 1234567890 times. We are learning to
learn, asking what to ask, scoring the scores and rewarding the rewards of the models that model the network.
Don't stop! Где находится библиотека и кто сегодня отвечает на вопросы? Съешь ещё этих мягких французских булок.
一 二 三 东 京 大 学 中 国 人 在 哪 里
"""


def vocabulary() -> dict[str, int]:
    """Special tokens, then characters, frequent words and frequent endings of the text, each sorted."""
    plain = "".join(c for c in unicodedata.normalize("NFD", TEXT.lower()) if unicodedata.category(c) != "Mn")
    words = Counter(re.findall(r"\w+", plain))
    endings = Counter(word[-length:] for word in words for length in (2, 3, 4) if len(word) > length)
    characters = sorted(set(plain) - set(" \n"))
    pieces = [
        *SPECIAL_TOKENS,
        *characters,
        *(f"##{character}" for character in characters if character.isalnum()),
        *sorted(word for word, count in words.items() if count > 1 and len(word) > 1),
        *sorted(f"##{ending}" for ending, count in endings.items() if count > 1),
    ]
    return {piece: index for index, piece in enumerate(pieces)}


def write_tokenizer(folder: Path) -> int:
    """Writes the four files of the tokenizer and gives the size of its vocabulary."""
    vocab = vocabulary()
    tokenizer = Tokenizer(WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
    )
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16, pad_id=vocab["[PAD]"], pad_token="[PAD]")
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "BertTokenizer", "model_max_length": WINDOW, "do_lower_case": True}
    write_json(folder / "tokenizer_config.json", config | SPECIAL_NAMES)
    write_json(folder / "special_tokens_map.json", SPECIAL_NAMES)
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in vocab), encoding="utf-8")
    return len(vocab)


def write_model(folder: Path, vocab_size: int) -> None:
    """Writes `config.json` and `model.safetensors`."""
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
    randomize(model, scale=0.3, seed=3)
    model.save_pretrained(folder)


def messages(reference: Reference) -> dict[str, str]:
    """The message of each case; lengths in their names include the two special tokens of each window."""
    words = TEXT.lower().split()
    return {
        "empty": "",
        "spaces only": " \n\t ",
        "one word": "miners",
        "a sentence": "Which miner should I ask about learning, and why that one?",
        "accents, Cyrillic, Chinese and an emoji": "Café naïve: Где ёлка, Йод? 东京大学在哪里, 鬱 🦊 ok\u200b\u0007!",
        "special tokens in the text": "ask [SEP] the [PAD] [PAD] miner [MASK] again [PAD]",
        "47 tokens": reference.prose(words, WINDOW - 3, seed=47),
        "48 tokens": reference.prose(words, WINDOW - 2, seed=48),
        "49 tokens": reference.prose(words, WINDOW - 1, seed=49),
        "200 tokens in five windows": reference.prose(words, 200 - 2 * 5, seed=200),
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
    write_model(out, write_tokenizer(out))
    reference = Reference(out)
    cases = [case(reference, name, message) for name, message in messages(reference).items()]
    write_cases(out / "expected.json", cases)


if __name__ == "__main__":
    main()
