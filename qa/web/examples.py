"""Questions to try: from a file beside the pages, else made from headlines; only such as the archive answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from index.errors import WenbaoError
from qa.web.texts import EN, LANGUAGES, ZH, texts_of

if TYPE_CHECKING:
    from index.archive import Archive
    from qa.bot import Bot

EXAMPLES_FILE = "examples.json"
SHOWN = 6
_TRIED = 8
_LONGEST = 120
_LARGEST_FILE = 64 * 1024


class ExampleFile(BaseModel):
    """The content of `examples.json`: questions by language."""

    model_config = ConfigDict(extra="ignore")

    zh: list[str] = Field(default=[], max_length=50)
    en: list[str] = Field(default=[], max_length=50)


def choose_examples(bot: Bot) -> dict[str, tuple[str, ...]]:
    """Return questions to show in each language; the Chinese page ends with an English one, the English begins so."""
    archive = bot.archive
    asked = read_examples([Path(path) for path in archive.manifest.inputs])
    zh, en = (_answered(bot, questions) for questions in (asked.zh, asked.en))
    if not zh and not en:
        headlines = _headlines(archive)
        zh, en = (
            _answered(bot, [texts.headline_question.format(headline=headline) for headline in headlines])
            for texts in (ZH, EN)
        )
        return {"zh": zh[:SHOWN], "en": en[:SHOWN]}
    mixed = {"zh": (*zh[: SHOWN - 1], *en[:1]), "en": (*en[:4], *zh)}
    return {language: mixed[texts_of(language).language][:SHOWN] for language in LANGUAGES}


def read_examples(paths: list[Path]) -> ExampleFile:
    """Return the questions of the first readable `examples.json` in the folders; none where there is no such file."""
    for path in paths:
        try:
            file = path / EXAMPLES_FILE
            if path.is_dir() and file.is_file() and file.stat().st_size <= _LARGEST_FILE:
                return ExampleFile.model_validate_json(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):  # noqa: PERF203
            continue  # examples are an extra: a file that is not right must not stop the start
    return ExampleFile()


def _answered(bot: Bot, questions: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for question in questions[:_TRIED]:
        try:
            if len(question) <= _LONGEST and bot.ask(question).found:
                kept.append(question)
        except WenbaoError:  # noqa: PERF203
            continue  # not a question to show
    return tuple(kept)


def _headlines(archive: Archive) -> list[str]:
    """Return the headlines of some articles from all over the archive."""
    count = archive.manifest.counts.passages
    rows = sorted({count * step // _TRIED for step in range(_TRIED)} if count else set())
    passages = archive.passages_at(rows)
    articles = archive.articles_at(list(dict.fromkeys(passage.article_row for passage in passages)))
    return [article.headline for article in articles if article.kind == "article" and 4 <= len(article.headline) <= 60]
