"""Columns: give stray pieces of a page back to the article they were torn from.

Where columns and pictures interrupt an article, its next piece may stand far below, after another article. A piece is
moved when the evidence is strong: an article that breaks off in mid-sentence, a piece that lacks a beginning, a word
that lies across the two, and above all what the two speak of.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.assembly import breaks_paragraph
from index.bylines import is_lead
from index.cohesion import pairs
from index.drafts import Draft
from index.headlines import Kind, crosses_word
from index.lines import Line, begins_inside, open_pairs

MOST_PARAGRAPHS = 500
MOVES_AT = 2.0
MOVES_WITHOUT_A_BREAK = 0.10
MOST_MOVES = 12
LONGEST_PIECE = 12

_NO_SUBJECT = re.compile(
    r"^(?:做到|确保|并|且|而|也|使|让|把|将|以|从而|实现|进一步|切实|不断|努力|坚决|全力|着力|共同|为|等|后|时|中|里|上|下|内|者|们)"
)
_SHORT_START = re.compile(r"^[^。！？；，、\s“”]{1,4}[。！？；]")


class _Gram:
    """Dot products between all lines of the page, pairs of characters weighted by rarity."""

    def __init__(self, texts: Sequence[str]) -> None:
        bags = [Counter(pairs(text)) for text in texts]
        frequency = Counter(pair for bag in bags for pair in bag)
        columns = {pair: index for index, (pair, times) in enumerate(frequency.items()) if times > 1}
        matrix = np.zeros((len(texts), len(frequency) + 1), dtype=np.float32)
        lonely = np.zeros(len(texts))
        for row, bag in enumerate(bags):
            for pair, times in bag.items():
                weight = math.log((len(texts) + 1) / (frequency[pair] + 0.5)) * (1 + math.log(times))
                if pair in columns:
                    matrix[row, columns[pair]] = weight
                else:
                    lonely[row] += weight * weight
        self.products: NDArray[np.float64] = (matrix @ matrix.T).astype(np.float64) + np.diag(lonely)

    def cosine(self, left: Sequence[int], right: Sequence[int]) -> float:
        """Return the cosine of two sets of lines."""
        if not left or not right:
            return 0.0
        product = float(self.products[np.ix_(left, right)].sum())
        norms = float(self.products[np.ix_(left, left)].sum()) * float(self.products[np.ix_(right, right)].sum())
        return product / math.sqrt(norms) if norms > 0 else 0.0


@dataclass(frozen=True)
class _Move:
    """Lines `start` to `stop` of the flow of draft `giver` belong at the end of draft `taker`."""

    giver: int
    start: int
    stop: int
    taker: int
    score: float


def settle(drafts: list[Draft]) -> None:
    """Move stray pieces and captions to the articles they belong to, and note what stays in doubt.

    What holds nothing is dropped: a piece whose lines have all been moved, or a page turn note that nothing follows.
    """
    _return_pieces(drafts)
    drafts[:] = [draft for draft in drafts if draft.titles or draft.flow or draft.captions]
    for draft in drafts:
        if draft.goes_on_elsewhere:
            draft.doubts.append("goes on on another page")
        elif draft.is_open():
            draft.doubts.append("breaks off in mid-sentence and its continuation is not on the page")
        first = next((line for line, kind in draft.flow if kind is Kind.BODY), None)
        if draft.comes_from_elsewhere:
            draft.doubts.append("goes on from another page")
        elif first is not None and begins_inside(first.text):
            draft.doubts.append("begins in mid-sentence: its beginning is not on the page")


def _return_pieces(drafts: list[Draft]) -> None:
    """Move stray pieces and captions to the articles they belong to."""
    texts: list[str] = []
    rows: dict[int, int] = {}
    for draft in drafts:
        for line in [*draft.titles, *(line for line, _ in draft.flow), *draft.captions]:
            rows[line.number] = len(texts)
            texts.append(line.text)
    if len(drafts) < 2 or len(texts) > MOST_PARAGRAPHS:
        return
    gram = _Gram(texts)
    for _ in range(MOST_MOVES):
        move = max(_moves(drafts, gram, rows), key=lambda found: found.score, default=None)
        if move is None:
            break
        giver, taker = drafts[move.giver], drafts[move.taker]
        taker.flow.extend(giver.flow[move.start : move.stop])
        del giver.flow[move.start : move.stop]
        if giver.comes_from_elsewhere and not giver.flow and not giver.titles:
            taker.captions.extend(giver.captions)
            giver.captions.clear()
            taker.goes_on_elsewhere = False
    _settle_captions(drafts, gram, rows)


def _rows(lines: Sequence[Line], rows: dict[int, int]) -> list[int]:
    return [rows[line.number] for line in lines]


def _body(draft: Draft, start: int = 0, stop: int | None = None) -> list[Line]:
    """Return the lines of running text of a part of a draft's flow."""
    return [line for line, kind in draft.flow[start:stop] if kind is Kind.BODY]


def _moves(drafts: Sequence[Draft], gram: _Gram, rows: dict[int, int]) -> list[_Move]:
    """Return every move whose evidence is strong enough."""
    found: list[_Move] = []
    owned = [_rows([*draft.titles, *_body(draft)], rows) for draft in drafts]
    # how much each line of the page shares with each draft, and each draft with itself
    shared = np.stack([gram.products[:, own].sum(axis=1) for own in owned], axis=1)
    norms = np.array([shared[own, index].sum() for index, own in enumerate(owned)])
    for giver_index, giver in enumerate(drafts):
        pieces = _pieces(giver)
        if not pieces:
            continue
        weights = _FlowWeights(giver, gram, rows, shared)
        for start, stop in pieces:
            toward, inside = weights.of(start, stop)
            rest = norms[giver_index] - 2 * toward[giver_index] + inside
            home = (toward[giver_index] - inside) / math.sqrt(rest * inside) if rest > 1e-6 and inside > 0 else 0.0
            for taker_index, taker in enumerate(drafts):
                if taker_index == giver_index or taker.last_body() is None or inside <= 0:
                    continue
                away = float(toward[taker_index]) / math.sqrt(max(norms[taker_index], 1e-6) * inside)
                score = _evidence(giver, start, stop, taker, home, away, giver_index > taker_index)
                score += 0.3 * (giver_index > taker_index)
                if score >= MOVES_AT:
                    found.append(_Move(giver_index, start, stop, taker_index, score))
    return found


class _FlowWeights:
    """What any range of a draft's flow shares with each draft and with itself, by prefix sums."""

    def __init__(self, draft: Draft, gram: _Gram, rows: dict[int, int], shared: NDArray[np.float64]) -> None:
        flow = [rows[line.number] for line, _ in draft.flow]
        body = np.array([kind is Kind.BODY for _, kind in draft.flow], dtype=np.float64)
        products = gram.products[np.ix_(flow, flow)] * body[:, None] * body[None, :]
        self._inside = np.zeros((len(flow) + 1, len(flow) + 1))
        self._inside[1:, 1:] = products.cumsum(axis=0).cumsum(axis=1)
        self._toward = np.zeros((len(flow) + 1, shared.shape[1]))
        self._toward[1:] = (shared[flow] * body[:, None]).cumsum(axis=0)

    def of(self, start: int, stop: int) -> tuple[NDArray[np.float64], float]:
        """Return what lines `start` to `stop` share with each draft, and with themselves."""
        inside = self._inside[stop, stop] - 2 * self._inside[start, stop] + self._inside[start, start]
        return self._toward[stop] - self._toward[start], float(inside)


def _pieces(draft: Draft) -> list[tuple[int, int]]:
    """Return the ranges of a flow that could be another article's: they begin with a line of running text.

    The first paragraph belongs to the headline above it. A piece reaches to the end, or, where the text before it
    breaks off, to any later line that could take that text up again.
    """
    flow = draft.flow
    body = [index for index, (_, kind) in enumerate(flow) if kind is Kind.BODY]
    if not body:
        return []
    pieces: list[tuple[int, int]] = []
    for index in body:
        first = index == body[0]
        if (first and not (draft.comes_from_elsewhere and not draft.titles)) or is_lead(flow[index][0].text):
            continue
        before_open = not first and not breaks_paragraph(flow[index - 1][0].text) and flow[index - 1][1] is Kind.BODY
        pieces.append((index, len(flow)))
        if before_open:
            later = [stop for stop in body if stop > index and flow[stop - 1][1] is Kind.BODY]
            pieces.extend((index, stop) for stop in later[:LONGEST_PIECE])
    return pieces


def _evidence(giver: Draft, start: int, stop: int, taker: Draft, home: float, away: float, taker_first: bool) -> float:
    """Return how strongly a piece belongs to `taker` and not to `giver`; `taker_first`: it stands above `giver`."""
    head = giver.flow[start][0].text
    lexical = 14 * (away - home)
    last = taker.last_body()
    tail = taker.flow[last][0].text if last is not None else ""
    score = lexical
    headless = _is_headless(giver, giver.flow[start][0])
    if taker.goes_on_elsewhere and giver.comes_from_elsewhere:
        # what turned the page comes before what goes on
        return score + 4 if taker_first else 0.0
    if home > away + 0.02:
        # it speaks more of where it stands than of where it would go
        return 0.0
    if taker.is_open():
        score += 1.2
        if crosses_word(tail, head):
            score += 1.5
        if open_pairs(tail) > 0 and open_pairs(head) < 0:
            score += 1.5
        if headless:
            score += 1.5
        elif _NO_SUBJECT.match(head):
            score += 0.8
    elif headless or not _stands_alone(giver, start, stop):
        return 0.0
    else:
        # nothing asks for a continuation: only a piece that speaks of quite other things is moved
        if away < 2.2 * home or away - home < MOVES_WITHOUT_A_BREAK:
            return 0.0
        score += 0.6
    before = giver.flow[start - 1] if start else None
    if before is not None and before[1] is Kind.SIGNATURE:
        score += 2.0
    if before is not None and before[1] is Kind.BODY and not breaks_paragraph(before[0].text):
        # the giver breaks off here itself: either the piece continues it, or the line after the piece does
        score -= 1.5
        if crosses_word(before[0].text, head):
            score -= 3.0
        if stop < len(giver.flow):
            after = giver.flow[stop][0]
            score += 1.5 * crosses_word(before[0].text, after.text) + 1.0 * _is_headless(giver, after)
            score -= 0.5
    return score


def _is_headless(draft: Draft, line: Line) -> bool:
    """Say whether a line lacks its beginning, by its words or because it is not indented as beginnings are."""
    return begins_inside(line.text) or bool(_SHORT_START.match(line.text)) or (draft.indented and line.indent == 0)


def _stands_alone(giver: Draft, start: int, stop: int) -> bool:
    """Say whether a piece at the end of an article leaves enough of that article behind."""
    kept = sum(len(line.text) for line in _body(giver, 0, start))
    return stop == len(giver.flow) and kept >= 200 and kept >= 0.5 * sum(len(line.text) for line in _body(giver, start))


def _settle_captions(drafts: Sequence[Draft], gram: _Gram, rows: dict[int, int]) -> None:
    """Give each caption to the article that speaks of it most, its neighbour where nothing tells."""
    moved: list[tuple[int, int, list[Line]]] = []
    for index, draft in enumerate(drafts):
        for block in _caption_blocks(draft.captions):
            likeness = [
                gram.cosine(_rows(block, rows), _rows([*other.titles, *_body(other)], rows)) for other in drafts
            ]
            best = max(range(len(drafts)), key=likeness.__getitem__)
            if best != index and likeness[best] > 0.02 and likeness[best] > 1.5 * likeness[index]:
                moved.append((index, best, block))
    for index, best, block in moved:
        drafts[index].captions = [line for line in drafts[index].captions if line not in block]
        drafts[best].captions.extend(block)


def _caption_blocks(captions: Sequence[Line]) -> list[list[Line]]:
    """Return the captions in blocks: lines that follow each other directly are one caption and its credit."""
    blocks: list[list[Line]] = []
    for line in captions:
        if blocks and line.blanks == 0 and line.number == blocks[-1][-1].number + 1:
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks
