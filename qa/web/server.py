"""The server: the API and the page in one application, on one port."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

from index.errors import InputError
from qa.web.api import add_api
from qa.web.guard import LOOPBACK_HOSTS, Guard, is_loopback
from qa.web.page import Page, asset, theme
from qa.web.startup import Service

_START_AFTER_SECONDS = 0.3
_GRACE_SECONDS = 1


def create_app(
    service: Service, *, host: str = "127.0.0.1", on_failure: Callable[[str], None] | None = None
) -> FastAPI:
    """Return the application; the bot begins to be made ready when the application starts."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The imports of the start hold the interpreter for seconds: let the server begin to answer before.
        asyncio.get_running_loop().call_later(_START_AFTER_SECONDS, service.start, on_failure)
        try:
            yield
        finally:
            service.end()

    app = FastAPI(title="Wenbao 问报", docs_url=None, redoc_url=None, lifespan=lifespan)
    add_api(app, service)

    @app.get("/favicon.ico", include_in_schema=False)
    async def favicon() -> Response:
        return Response(asset("favicon.svg"), media_type="image/svg+xml")

    page = Page(service)
    gr.mount_gradio_app(
        app,
        page.blocks,
        path="/",
        server_name=host,
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size=1,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        # Not by `css`: gradio puts its own container before every selector, and the dark mode's class stands above it.
        head=f"<style>\n{asset('style.css')}</style>",
    )
    app.add_middleware(
        Guard, hosts=LOOPBACK_HOSTS | {f"[{host}]" if ":" in host else host} if is_loopback(host) else None
    )
    return app


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the port.

    Raises:
        InputError: the port is taken, or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise InputError(
            f"{host}:{port} cannot be opened ({error.strerror or error}). Name another port with --port, for example "
            f"--port {port + 1 if port < 65535 else 7860}, or stop the program that uses it."
        ) from error
    return listening


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serve until interrupted."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS, server_header=False
    )
    with contextlib.suppress(KeyboardInterrupt):
        _Server(config).run(sockets=[listening])


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. Every open page holds a stream that never ends: that these are cut off then is no error to report."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)
