"""Who may come in: one person who knows the token, with one tab; and what they may bring."""

from __future__ import annotations

import hashlib
import hmac
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, web

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.web.data_root import safe_name

REFUSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Landmark Tracker</title><style>
body { background: #17191c; color: #dfe3e8; font: 16px/1.5 system-ui, sans-serif; max-width: 34em;
margin: 20vh auto } h1 { font-size: 20px }</style>"""

WRONG_TOKEN = (
    REFUSED
    + """<h1>This address lacks its token</h1><p>Open the address that <code>landmark-tracker serve</code>
printed when it started: it ends with <code>?token=...</code></p>"""
)

# A tab that is reloaded may meet itself for a moment: it looks again at once, before this is seen.
SECOND_TAB = (
    REFUSED
    + """<h1>The workbench is open in another tab</h1><p>One server is one person's work, and two tabs would
disturb each other. Close the other tab: this one opens then by itself. For a second person or a second case
start another server: <code>landmark-tracker serve --port ...</code></p>
<style>body { animation: show .1s 1s both } @keyframes show { from { opacity: 0 } }</style><script>
const look = () => fetch(location).then((answer) => answer.ok && location.reload());
setTimeout(look, 300); setInterval(look, 1000);</script>"""
)

Upload = Callable[[list[Path]], Awaitable[str]]


class Door:
    """Every request passes here, the web socket too.

    Args:
        token: what the address must contain once; a cookie remembers it for this browser.
        upload_limit: bytes that one upload may have.
        take: what is done with uploaded files; returns what went wrong, or "". They are gone afterwards.
    """

    def __init__(self, token: str, upload_limit: int, take: Upload) -> None:
        self.token, self.upload_limit, self.take = token, upload_limit, take
        self._inside = False
        # Cookies know no port: each server has a name of its own.
        self._cookie = f"landmark-tracker-{hashlib.sha256(token.encode()).hexdigest()[:8]}"

    def bind(self, server: Any) -> None:
        """Stand before this wslink server; before it starts."""
        server.app.middlewares.append(self._guard)
        server.app.router.add_post("/upload", self._upload)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if "token" in request.query:
            if not self._right(request.query["token"]):
                return _page(WRONG_TOKEN, 403)
            answer = web.HTTPSeeOther(request.path)
            answer.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict", path="/")
            raise answer
        if not self._right(request.cookies.get(self._cookie, "")):
            return _page(WRONG_TOKEN, 403)
        if request.path == "/ws":
            return await self._one_tab(request, handler)
        if request.path in ("/", "/index.html") and self._inside:
            return _page(SECOND_TAB, 409)
        answer = await handler(request)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("Referrer-Policy", "no-referrer")
        answer.headers.setdefault("X-Frame-Options", "DENY")
        return answer

    async def _one_tab(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """The page's one web socket. Another site's page may not open it, nor a second tab."""
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            return web.Response(status=403, text="This page is not the workbench's own.")
        if self._inside:
            return web.Response(status=409, text="The workbench is open in another tab.")
        self._inside = True
        try:
            return await handler(request)
        finally:
            self._inside = False

    async def _upload(self, request: web.Request) -> web.Response:
        """Files of a form, kept for as long as they are read."""
        with tempfile.TemporaryDirectory(prefix="landmark-tracker-") as folder:
            try:
                files = await self._receive(request, Path(folder))
                problem = await self.take(files)
            except InputError as error:
                problem = str(error)
        return web.json_response({"problem": problem})

    async def _receive(self, request: web.Request, folder: Path) -> list[Path]:
        too_large = InputError(
            f"an upload may have {self.upload_limit / 2**20:.0f} MiB; put larger data into the data folder"
        )
        if (request.content_length or 0) > self.upload_limit:
            raise too_large
        received = 0
        files: list[Path] = []
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            path = folder / safe_name(part.filename or "")
            if path in files:
                raise InputError(f"two files are named {path.name}; upload them one after the other")
            with path.open("xb") as file:
                while chunk := await part.read_chunk(1 << 18):
                    received += len(chunk)
                    if received > self.upload_limit:
                        raise too_large
                    file.write(chunk)
            files.append(path)
        return files

    def _right(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())


def _page(text: str, status: int) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
