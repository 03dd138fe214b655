"""Rebuild the XLM-R tokenizer of the packaged model as a `tokenizers.Tokenizer` from its pieces and its normaliser."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from index.packaged_format import Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MASK = "<mask>"
_Trie = dict[int, Any]  # byte → the trie below it; 0 → where the replacement of the key that ends here starts


def build_tokenizer(vocabulary: Vocabulary, normaliser: Mapping[str, str]) -> Tokenizer:
    """Make the tokenizer: Unigram pieces, sentencepiece's `nmt_nfkc` rules, and the `<s> A </s></s> B </s>` frame.

    Args:
        vocabulary: Pieces and scores; `<s>`, `<pad>`, `</s>`, `<unk>` and `<mask>` are among the pieces.
        normaliser: One character → its replacement, which may be empty.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    pieces = list(zip(vocabulary.pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(compile_character_map(normaliser)),
            # The packaged table has single characters only. Sentencepiece's own also joins marks to their letter
            # (half-width ｶﾞ, decomposed é or Hangul), which is what NFC does after it.
            normalizers.NFC(),
            normalizers.Strip(left=True, right=True),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    begin, end = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, vocabulary.bos), (end, vocabulary.eos)],
    )
    plain = [begin, vocabulary.pieces[vocabulary.pad], end, vocabulary.pieces[vocabulary.unknown]]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in plain])
    # The mask swallows the space before it, as in the original.
    tokenizer.add_special_tokens([AddedToken(MASK, lstrip=True, special=True, normalized=False)])
    return tokenizer


def tokenizer_config(vocabulary: Vocabulary, max_tokens: int) -> dict[str, object]:
    """What `tokenizer_config.json` says; the class is the generic one, so that tokenizer.json is taken as it stands."""
    begin, end = vocabulary.pieces[vocabulary.bos], vocabulary.pieces[vocabulary.eos]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_tokens,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "bos_token": begin,
        "cls_token": begin,
        "eos_token": end,
        "sep_token": end,
        "pad_token": vocabulary.pieces[vocabulary.pad],
        "unk_token": vocabulary.pieces[vocabulary.unknown],
        "mask_token": MASK,
    }


def compile_character_map(table: Mapping[str, str]) -> bytes:
    """Write a character map in sentencepiece's binary form, the only one that `normalizers.Precompiled` reads.

    The form: u32 size of a double-array trie in bytes, the trie over the UTF-8 keys (u32 units as in darts-clone), then
    the replacements, each ended by a zero byte; the value of a key is where its replacement starts.
    """
    replacements = bytearray()
    root: _Trie = {}
    for key, replacement in table.items():
        node = root
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = len(replacements)
        replacements += replacement.encode() + b"\0"
    units = _double_array(root)
    return struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + bytes(replacements)


def _double_array(root: _Trie) -> list[int]:
    """Lay a trie of bytes out in one array: the child of the unit at `p` by byte `c` stands at `p ^ offset(p) ^ c`.

    A unit holds its own byte (bits 0–7), whether the key may end there (bit 8), and the offset (bits 10 and up); the
    child by byte 0 is the value, marked by bit 31. No two nodes share a base, or one would accept the other's children.
    """
    units: list[int] = [0]
    taken = {0}
    bases: set[int] = set()
    lowest = 1
    queue: deque[tuple[int, _Trie]] = deque([(0, root)])
    while queue:
        position, children = queue.popleft()
        base = lowest
        while base in bases or any(base ^ byte in taken for byte in children):
            base += 1
        if len(children) < 4:  # small nodes fill gaps in order; below `lowest` there is no room left for them
            lowest = base
        bases.add(base)
        # Every unit that any byte could lead to must exist, since the reader does not check the bounds.
        units.extend([0] * ((base | 255) + 1 - len(units)))
        units[position] |= (position ^ base) << 10 | (256 if 0 in children else 0)
        for byte, child in children.items():
            taken.add(base ^ byte)
            if byte == 0:
                units[base] = child | 1 << 31
            else:
                units[base ^ byte] = byte
                queue.append((base ^ byte, child))
    return units
