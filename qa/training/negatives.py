"""Hard negatives: for each question, the contexts that BM25 takes for likely and that do not hold the answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from index.folding import fold_text
from index.keywords import KeywordDocument, KeywordIndex, write_keywords
from index.tokens import character_bigrams, tokenize
from qa.question import has_words, parse_question
from qa.scoring import normalize_answer
from qa.training.squad import QuestionSet

_LOOKED_AT = 12


def mine_negatives(
    questions: QuestionSet, *, each: int = 4, progress: Callable[[int, int], None] | None = None
) -> dict[str, list[str]]:
    """Return, by question id, the ids of up to `each` contexts, best BM25 score first, without any accepted answer.

    The words and the character pairs of `index.keywords` are both asked, as in an archive.
    """
    ids = list(questions.contexts)
    folded = {key: normalize_answer(context.text) for key, context in questions.contexts.items()}
    mined: dict[str, list[str]] = {}
    with TemporaryDirectory(prefix="wenbao-negatives-") as folder:
        write_keywords(
            Path(folder) / "keywords",
            (
                KeywordDocument(row, tokenize(f"{context.title}\n{context.text}"), character_bigrams(context.text))
                for row, context in enumerate(questions.contexts.values())
            ),
        )
        index = KeywordIndex(Path(folder) / "keywords")
        for number, example in enumerate(questions.examples):
            if not has_words(example.question):
                mined[example.id] = []
                continue
            parsed = parse_question(example.question[:400])
            scores: dict[int, float] = {}
            for tokens, field, weight in ((parsed.words, "words", 1.0), (parsed.bigrams, "bigrams", 1.0)):
                rows, values = index.search(tokens, _LOOKED_AT, field=field)
                for row, value in zip(rows.tolist(), values.tolist(), strict=True):
                    scores[row] = scores.get(row, 0.0) + weight * value
            accepted = [normalize_answer(answer) for answer in example.answers]
            near = [ids[row] for row in sorted(scores, key=lambda row: -scores[row])]
            mined[example.id] = [
                key
                for key in near
                if key != example.context and not any(answer in folded[key] for answer in accepted if answer)
            ][:each]
            if progress and number % 50 == 0:
                progress(number, len(questions.examples))
    return mined


def pairs_shared(question: str, text: str) -> int:
    """Return how many of the question's pairs of neighbouring characters (or words, where spaced) the text holds."""
    left, right = _pairs(question), _pairs(text)
    return len(left & right)


def _pairs(text: str) -> set[str]:
    folded = fold_text(text)
    words = re.findall(r"[a-z0-9]+", folded)
    return set(character_bigrams(folded)) | set(words)
