"""The HTTP API: ask, search, read an article, and see what the archive holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from index.archive import Filters
from index.errors import InputError, NotFoundError, WenbaoError
from index.records import Article
from qa.web.guard import refuse
from qa.web.startup import BusyError, Failed, NotReadyError, Ready, Service

_RETRY_SECONDS = "5"
_FILTER_CHARACTERS = 100
_QUESTION_CHARACTERS = 4000  # a sane bound for the parser; the bot's own limit is lower and says so kindly


class FilterFields(BaseModel):
    """Which articles to search: dates like `2022`, `2022-07` or `2022-07-18`; parts of paper and section names."""

    model_config = ConfigDict(extra="forbid")

    date_from: str | None = Field(default=None, max_length=_FILTER_CHARACTERS)
    date_to: str | None = Field(default=None, max_length=_FILTER_CHARACTERS)
    paper: str | None = Field(default=None, max_length=_FILTER_CHARACTERS)
    section: str | None = Field(default=None, max_length=_FILTER_CHARACTERS)

    def filters(self) -> Filters:
        """Return the filters; empty strings count as not given."""
        return Filters(self.date_from or None, self.date_to or None, self.paper or None, self.section or None)


class AskBody(FilterFields):
    """A question, and which articles may answer it."""

    question: str = Field(max_length=_QUESTION_CHARACTERS)


class SearchBody(AskBody):
    """A question, which articles to search, and how many passages are wanted."""

    k: int = Field(default=10, ge=1, le=50)


class Problem(BaseModel):
    """What is wrong, and the kind of error."""

    type: str
    message: str


class ErrorBody(BaseModel):
    """What an error of the API looks like."""

    error: Problem


def add_api(app: FastAPI, service: Service) -> None:
    """Add the API's routes and the translation of errors into statuses."""
    app.include_router(_routes(service))
    app.add_exception_handler(WenbaoError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_unreadable)


def _routes(service: Service) -> APIRouter:
    router = APIRouter(responses={"4XX": {"model": ErrorBody}, "503": {"model": ErrorBody}})

    @router.get("/healthz")
    async def health() -> JSONResponse:
        """Say whether questions can be answered: 200 when ready, else 503."""
        state = service.state
        if isinstance(state, Ready):
            return JSONResponse({"status": "ready"})
        if isinstance(state, Failed):
            return JSONResponse({"status": "failed", "message": state.message}, 503)
        progress = {"stage": state.stage, "done": state.done, "total": state.total}
        return JSONResponse({"status": "starting", "progress": progress}, 503, {"Retry-After": _RETRY_SECONDS})

    @router.post("/api/ask")
    async def ask(body: AskBody, response: Response) -> dict[str, Any]:
        """Answer a question in words of the archive, with citations, or say that it does not answer.

        The same question gives the same bytes; how long each stage took stands in the `Server-Timing` header.
        """
        bot = service.bot
        answer = await service.answer(lambda: bot.ask(body.question, filters=body.filters()))
        response.headers["Server-Timing"] = ", ".join(f"{stage};dur={ms}" for stage, ms in answer.timings.items())
        return answer.to_dict()

    @router.post("/api/search")
    async def search(body: SearchBody) -> dict[str, Any]:
        """Return the passages nearest to a question, best first."""
        bot = service.bot
        hits = await service.look_up(lambda: bot.search(body.question, body.k, filters=body.filters()))
        return {"question": body.question, "hits": [hit.to_dict() for hit in hits]}

    @router.get("/api/articles/{article_id}")
    async def article(article_id: str) -> dict[str, Any]:
        """Return an article."""
        bot = service.bot
        return article_to_dict(await service.look_up(lambda: bot.archive.article(article_id)))

    @router.get("/api/info")
    async def info() -> dict[str, Any]:
        """Return what the archive holds and what it was built with."""
        bot = service.bot
        return await service.look_up(lambda: _info(service, bot.archive.manifest))

    return router


def article_to_dict(article: Article) -> dict[str, Any]:
    """Return an article as plain values."""
    return asdict(article)


def _info(service: Service, manifest: Any) -> dict[str, Any]:
    holdings = service.holdings()
    assert holdings is not None, "only called when the bot is ready"  # noqa: S101
    return {
        "generation": manifest.generation,
        "created": manifest.created,
        "wenbao_version": manifest.wenbao_version,
        "encoder": manifest.encoder.name,
        "counts": manifest.counts.model_dump(),
        "dates": None if holdings.dates is None else {"first": holdings.dates[0], "last": holdings.dates[1]},
        "papers": [{"name": name, "articles": count} for name, count in holdings.papers],
        "sections": [{"name": name, "articles": count} for name, count in holdings.sections],
    }


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    retry = {"Retry-After": _RETRY_SECONDS} if isinstance(error, NotReadyError | BusyError) else None
    status = 400 if isinstance(error, InputError) else 404 if isinstance(error, NotFoundError) else 503
    return refuse(status, type(error).__name__, str(error), retry)


async def _on_unreadable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    known = {400: "The body cannot be read. Send JSON in UTF-8.", 404: "There is nothing here."}
    kind = "NotFoundError" if error.status_code == 404 else "InputError"
    return refuse(error.status_code, kind, known.get(error.status_code, f"{error.detail}."), dict(error.headers or {}))


async def _on_invalid(request: Request, error: Exception) -> JSONResponse:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    places = [
        (".".join(str(part) for part in problem["loc"][1:]) or "body", problem["msg"]) for problem in problems[:5]
    ]
    message = "The request cannot be used: " + "; ".join(f"{place}: {what}" for place, what in places)
    return refuse(400, "InputError", message)
