"""Start the server of one session, and tell its address."""

from __future__ import annotations

import asyncio
import ctypes.util
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import vtk
from trame.app import get_server

from LandmarkTrackerLib.web.data_root import DataRoot
from LandmarkTrackerLib.web.door import Door
from LandmarkTrackerLib.web.page import Page
from LandmarkTrackerLib.web.session import Session

HOST = "127.0.0.1"


def serve(root: DataRoot, files: Sequence[Path], port: int, token: str, upload_limit: int) -> None:
    """Serve until interrupted. Only this computer is answered.

    Args:
        files: opened at the start, the first of them chosen; inside the root.
        port: 0 for a free one.
        upload_limit: bytes.
    """
    # trame reads the command line too, and would take ours for its own.
    sys.argv = sys.argv[:1]
    os.environ["WSLINK_READY_MSG"] = ""
    _draw_without_screen()
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    asyncio.run(_serve(root, files, port, token, upload_limit))


async def _serve(root: DataRoot, files: Sequence[Path], port: int, token: str, upload_limit: int) -> None:
    from trame_slicer import module

    server = get_server("landmark-tracker", client_type="vue3")
    server.enable_module(module)
    session = Session(root)
    for path in files:
        session.open(path)
    if files:
        first = session.images()
        session.bench.inputs.choose_image(first[0] if first else None)
    page = Page(server, session)
    door = Door(token, upload_limit, page.take_upload)
    server.controller.add("on_server_bind")(door.bind)
    server.controller.add("on_server_ready")(
        lambda **_: print(
            f"Open http://{HOST}:{server.port}/?token={token}\n"
            f"Files come from {root.folder}; stop with Ctrl+C.",
            flush=True,
        )
    )
    await server.start(
        port=port,
        host=HOST,
        timeout=0,
        open_browser=False,
        show_connection_info=False,
        exec_mode="coroutine",
    )


def _draw_without_screen() -> None:
    """Let VTK draw off screen where there is no screen, and keep its warnings about that to itself."""
    if not os.environ.get("DISPLAY") and ctypes.util.find_library("EGL"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    vtk.vtkObject.GlobalWarningDisplayOff()
