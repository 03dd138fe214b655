"""What no request may do: come under a foreign name or from a foreign page, be huge, or reach gradio's file routes."""

from __future__ import annotations

import contextlib
import ipaddress
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 * 1024
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_PORT = re.compile(r":\d*$")
_REFUSED_PATHS = (
    "/gradio_api/upload",
    "/gradio_api/file",
    "/gradio_api/proxy",
    "/gradio_api/stream",
    "/gradio_api/deep_link",
    "/gradio_api/process_recording",
    "/gradio_api/component_server",
    "/gradio_api/run-history",
    "/monitoring",
)
# gradio's own page needs inline scripts and `Function`; nothing needs anything from another machine.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def is_loopback(host: str) -> bool:
    """Say whether a server bound to this host can be reached from its own machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class TooLargeError(Exception):
    """A request sent more than it may."""


class Guard:
    """ASGI middleware that refuses such requests and forbids the page, by headers, to load anything from elsewhere.

    With `hosts`, only requests to one of these names are served: a foreign name that resolves to this machine must not
    reach what only this machine may. (Starlette's own middleware for this reads `[::1]` in its newest versions only.)
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str] | None = None, max_body: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._hosts = hosts
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        received = 0
        begun = refused = False

        async def receive_limited() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body:
                refused = True
                raise TooLargeError
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if refused and not begun:
                return  # the application's own words on what broke its reading
            if message["type"] == "http.response.start":
                begun = True
                told = MutableHeaders(scope=message)
                for name in [name for name in told if name.startswith("access-control-")]:
                    del told[name]  # gradio lets pages of every site read what a network address answers
                told.update(_HEADERS)
            await send(message)

        with contextlib.suppress(TooLargeError):
            await self._app(scope, receive_limited, send_with_headers)
        if refused and not begun:
            await self._too_large()(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        if self._hosts is not None and _PORT.sub("", headers.get("host", "")).lower() not in self._hosts:
            return refuse(400, "InputError", "This server is not known under that name. Use http://127.0.0.1 instead.")
        if scope["path"].startswith(_REFUSED_PATHS):
            return refuse(404, "NotFoundError", "There is nothing here.")
        if scope["method"] not in ("GET", "HEAD") and _is_of_another_site(headers):
            return refuse(403, "InputError", "A page of another site may not send this.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_body:
            return self._too_large()
        return None

    def _too_large(self) -> JSONResponse:
        return refuse(413, "InputError", f"The body is too large, the limit is {self._max_body} bytes.")


def _is_of_another_site(headers: Headers) -> bool:
    """Say whether a page of another site sends this; browsers say so themselves over https and to this machine."""
    told = headers.get("sec-fetch-site")
    if told is not None:
        return told == "cross-site"
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()


def refuse(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a response that says in words what is wrong."""
    return JSONResponse({"error": {"type": kind, "message": message}}, status, headers)
