"""Particles as tokens of their own, so that an answer's edge is a token's edge.

A vocabulary of frequent strings glues particles to their neighbours (年的, 是中国, 年起), and the reader can only begin
and end an answer between tokens. Where answers of the training parts of CMRC 2018 and DRCD begin or end inside one, one
of these mostly stands beyond the edge. With each a token of its own, the answers that are ranges of whole tokens rise
from 97.0 to 99.5 % on CMRC dev and from 96.5 to 99.1 % on DRCD test, for 2.6 % more tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.spans import Span

_PARTICLES = re.compile("([的是在起但了也後后])")
_WORD_START = "▁"


@dataclass(frozen=True)
class Piece:
    """One of the tokens that a token is taken apart into: its id, and how many characters of text it stands for."""

    id: int
    characters: int


def particle_pieces(tokenizer: Any) -> dict[int, tuple[Piece, ...]]:
    """Return the tokens of a fast tokenizer that hold a particle and more, by id, with what they are taken apart into.

    The mark for the start of a word stands for no character here, though it may stand for a space.
    """
    backend = tokenizer.backend_tokenizer
    special = set(tokenizer.all_special_ids)
    found = {}
    for number in range(backend.get_vocab_size()):
        token = backend.id_to_token(number)
        if not token or number in special or len(token) < 2 or not _PARTICLES.search(token):
            continue
        pieces = [
            Piece(part.id, len(part.value.replace(_WORD_START, "")))
            for text in _PARTICLES.split(token)
            if text
            for part in backend.model.tokenize(text)
        ]
        if len(pieces) > 1:
            found[number] = tuple(pieces)
    return found


def split_particles(
    ids: Sequence[int], offsets: Sequence[Span], pieces: Mapping[int, Sequence[Piece]]
) -> tuple[list[int], list[Span]]:
    """Return token ids and their ranges in the text with particles taken apart.

    A token that stands for more or fewer characters than its text has (a ligature, say) stays whole.
    """
    new_ids: list[int] = []
    new_offsets: list[Span] = []
    for number, (start, end) in zip(ids, offsets, strict=True):
        parts = pieces.get(number, ())
        space = end - start - sum(part.characters for part in parts)
        if not parts or space not in (0, 1):
            new_ids.append(number)
            new_offsets.append((start, end))
            continue
        low = start
        for place, part in enumerate(parts):
            high = low + part.characters + (space if place == 0 else 0)
            new_ids.append(part.id)
            new_offsets.append((low, high))
            low = high
    return new_ids, new_offsets
