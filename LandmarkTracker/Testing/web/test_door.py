"""One person who knows the token comes in, with one tab; uploads are limited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from LandmarkTrackerLib.web.door import Door

TOKEN, LIMIT = "a-long-token", 1000


class Wslink:
    """As much of wslink's server as a door sees."""

    def __init__(self) -> None:
        self.app = web.Application()
        self.app.router.add_get("/", self._page)
        self.app.router.add_get("/ws", self._socket)

    async def _page(self, _request):
        return web.Response(text="the page")

    async def _socket(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket


def visit(steps: Callable[[TestClient, list], Awaitable[None]]) -> list:
    """Take these steps before a door; returns the names and sizes of what was uploaded."""
    taken: list = []

    async def take(files):
        taken.extend((path.name, path.read_bytes(), path) for path in files)
        return "" if len(files) < 3 else "too many files at once"

    async def run():
        server = Wslink()
        Door(TOKEN, LIMIT, take).bind(server)
        async with TestClient(TestServer(server.app)) as client:
            await steps(client, taken)

    asyncio.run(run())
    return taken


async def come_in(client):
    answer = await client.get("/", params={"token": TOKEN})
    assert answer.status == 200
    assert answer.url.query_string == ""
    assert await answer.text() == "the page"


def form(**files: bytes) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, content in files.items():
        data.add_field("files", content, filename=name.replace("_", "."))
    return data


def test_without_the_token_everything_is_refused_the_web_socket_too():
    async def steps(client, _taken):
        for path in ("/", "/?token=wrong", "/index.html", "/nothing"):
            answer = await client.get(path)
            assert answer.status == 403
            assert "lacks its token" in await answer.text()
        assert (await client.post("/upload", data=form(a_nrrd=b"1"))).status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/ws")
        assert refused.value.status == 403

    assert visit(steps) == []


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get():
    async def steps(client, _taken):
        answer = await client.get("/", params={"token": TOKEN}, allow_redirects=False)
        (cookie,) = answer.cookies.values()
        assert cookie.value == TOKEN
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert (await client.get("/")).status == 200

    visit(steps)


def test_a_second_tab_is_refused_in_words_until_the_first_is_closed():
    async def steps(client, _taken):
        await come_in(client)
        first = await client.ws_connect("/ws")
        second = await client.get("/")
        assert second.status == 409
        assert "open in another tab" in await second.text()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/ws")
        assert refused.value.status == 409
        await first.send_str("still here")
        assert (await first.receive_str()) == "still here"
        await first.close()
        await asyncio.sleep(0.05)
        await come_in(client)
        await (await client.ws_connect("/ws")).close()

    visit(steps)


def test_another_sites_page_cannot_open_the_web_socket():
    async def steps(client, _taken):
        await come_in(client)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect("/ws", origin="http://elsewhere.example")
        assert refused.value.status == 403

    visit(steps)


def test_uploads_are_taken_and_gone_afterwards():
    async def steps(client, _taken):
        await come_in(client)
        answer = await client.post("/upload", data=form(a_nrrd=b"one", b_nrrd=b"two"))
        assert await answer.json() == {"problem": ""}

    taken = visit(steps)
    assert [(name, content) for name, content, _path in taken] == [("a.nrrd", b"one"), ("b.nrrd", b"two")]
    assert not any(path.exists() for _name, _content, path in taken)


def test_what_is_wrong_with_an_upload_is_said_in_words():
    async def steps(client, taken):
        await come_in(client)
        large = await client.post("/upload", data=form(a_nrrd=b"x" * (LIMIT + 1)))
        assert "put larger data into the data folder" in (await large.json())["problem"]
        hidden = await client.post("/upload", data=form(_hidden=b"1"))
        assert "rename the file" in (await hidden.json())["problem"]
        assert taken == []
        many = await client.post("/upload", data=form(a_nrrd=b"1", b_nrrd=b"2", c_nrrd=b"3"))
        assert (await many.json())["problem"] == "too many files at once"

    visit(steps)


def test_an_upload_that_hides_its_size_is_limited_too():
    async def steps(client, taken):
        await come_in(client)

        async def endless():
            yield b'--edge\r\nContent-Disposition: form-data; name="f"; filename="a.nrrd"\r\n\r\n'
            for _ in range(10):
                yield b"x" * LIMIT
            yield b"\r\n--edge--\r\n"

        answer = await client.post(
            "/upload", data=endless(), headers={"Content-Type": "multipart/form-data; boundary=edge"}
        )
        assert "put larger data" in (await answer.json())["problem"]
        assert taken == []

    visit(steps)
