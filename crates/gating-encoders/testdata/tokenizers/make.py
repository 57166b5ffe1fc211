"""Makes tokenizers as repositories hold them that have no `tokenizer.json`, and `expected.json`: the token ids that the
reference makes of awkward texts.

Run with Python 3.11 and the versions of the workspace's `testdata/requirements.txt`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "testdata"))
from reference import arguments, write_cases, write_json  # noqa: E402
from vocabulary import BERT_NAMES, MPNET_NAMES, write_gpt2, write_roberta, write_wordpiece  # noqa: E402

TEXTS = [
    "",
    " \n\t ",
    "Which miner should I ask about learning, and why that one?",
    "  ask\n\n\tthe   MINER  ",
    "don't stop, they're learning; we'll ask and I'd've asked",
    "Café naïve: Где ёлка, Йод? ÅNGSTRÖM İstanbul straße",
    "cafe\u0301 nai\u0308ve a\u0300\u0323\u0302",
    "东京大学在哪里, 一二三 한국어 日本語カタカナ",
    "🦊👩‍💻🏳️‍🌈 ok",
    "مرحبا नमस्ते שלום",
    "zero\u200bwidth soft\u00adhyphen bell\u0007 no\u00a0break line\u2028sep \ufeffmark \ufffd",
    "1234567890 3.14 1,000 x=y+z (a[b]{c}) <tag> #hash @at https://example.org/a?b=c",
    "\u1d400\u00bd\ufb01\u2460 full\uff21 \U0001d400",
    "a" * 120,
    "[CLS] ask [SEP] the [PAD] miner [MASK] again [UNK]",
    "<s> ask </s> the <pad> miner <mask>again <unk>",
    "ask <|endoftext|> again<|endoftext|>",
    "the gating model and the subnet , [NEW] gating",
    "miners\r\nminers\rminers",
    "...!!!???---___***",
]

END_OF_TEXT = "<|endoftext|>"


def wordpiece(folder: Path, names: dict[str, str] = BERT_NAMES, **settings: Any) -> None:
    """Like BERT's, with capital letters, and a piece that two others make, too."""
    write_wordpiece(folder, "BertTokenizer", names, 64)
    vocab = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    capitals = [chr(letter) for letter in range(ord("A"), ord("Z") + 1)]
    pieces = [*vocab, *capitals, "Which", "##INER", "é", "##é", "e", "Й"]
    pieces = list(dict.fromkeys(pieces))
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "special_tokens_map.json", names)


def bert(folder: Path) -> None:
    wordpiece(folder, do_lower_case=True, model_max_length=64)


def bert_cased(folder: Path) -> None:
    wordpiece(folder, do_lower_case=False, tokenize_chinese_chars=False, model_max_length=64)


def bert_accents(folder: Path) -> None:
    wordpiece(folder, do_lower_case=True, strip_accents=False, tokenizer_class="BertTokenizer")


def bert_cased_plain(folder: Path) -> None:
    wordpiece(folder, do_lower_case=False, strip_accents=True)


def bert_bare(folder: Path) -> None:
    wordpiece(folder)
    (folder / "tokenizer_config.json").unlink()
    (folder / "special_tokens_map.json").unlink()
    # As a Windows editor leaves it.
    vocab = (folder / "vocab.txt").read_bytes().replace(b"\n", b"\r\n")
    (folder / "vocab.txt").write_bytes(vocab)


def bert_added(folder: Path) -> None:
    """With tokens that were added later: one to match as it is, one in the text as it is normalized."""
    wordpiece(folder)
    size = len((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    write_json(folder / "added_tokens.json", {"[NEW]": size, "subnet": size + 1})
    write_json(folder / "special_tokens_map.json", BERT_NAMES | {"additional_special_tokens": ["[NEW]"]})


def distilbert(folder: Path) -> None:
    wordpiece(folder, max_len=64)


def mpnet(folder: Path) -> None:
    wordpiece(folder, MPNET_NAMES, do_lower_case=True)


def gpt2(folder: Path) -> None:
    write_gpt2(folder, END_OF_TEXT, 400, 64)


def gpt2_begin(folder: Path) -> None:
    write_gpt2(folder, END_OF_TEXT, 400, 64)
    settings = {"add_prefix_space": True, "add_bos_token": True, "tokenizer_class": "GPT2Tokenizer"}
    write_json(folder / "tokenizer_config.json", settings)


def roberta(folder: Path) -> None:
    write_roberta(folder, 400, 64)
    names = json.loads((folder / "special_tokens_map.json").read_text(encoding="utf-8"))
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": True}
    tokens = {name: {"content": token} | plain for name, token in names.items()}
    tokens["mask_token"]["lstrip"] = True
    write_json(folder / "special_tokens_map.json", tokens)
    write_json(folder / "tokenizer_config.json", {"add_prefix_space": True, "max_len": 64})


def roberta_bare(folder: Path) -> None:
    write_roberta(folder, 400, 64)
    (folder / "tokenizer_config.json").unlink()
    (folder / "special_tokens_map.json").unlink()


FOLDERS = {
    "bert": (bert, "bert"),
    "bert-cased": (bert_cased, "bert"),
    "bert-accents": (bert_accents, "roberta"),
    "bert-cased-plain": (bert_cased_plain, "bert"),
    "bert-bare": (bert_bare, "bert"),
    "bert-added": (bert_added, "bert"),
    "distilbert": (distilbert, "distilbert"),
    "mpnet": (mpnet, "mpnet"),
    "gpt2": (gpt2, "gpt2"),
    "gpt2-begin": (gpt2_begin, "gpt_neo"),
    "roberta": (roberta, "roberta"),
    "roberta-bare": (roberta_bare, "roberta"),
}


def main() -> None:
    out = arguments(__file__).parse_args().out
    cases = []
    for name, (write, model_type) in FOLDERS.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        write(folder)
        (folder / "tokenizer.json").unlink()
        write_json(folder / "config.json", {"model_type": model_type})
        tokenizer = AutoTokenizer.from_pretrained(folder)
        cases.append({"name": name, "ids": [tokenizer(text)["input_ids"] for text in TEXTS]})
    write_cases(out / "expected.json", cases, texts=TEXTS)


if __name__ == "__main__":
    main()
