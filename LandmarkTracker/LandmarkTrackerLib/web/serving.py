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

from LandmarkTrackerLib.errors import InputError
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

    Raises:
        InputError: a file cannot be opened, the port is taken, or nothing can be drawn here.
    """
    # trame reads the command line too, and would take ours for its own.
    sys.argv = sys.argv[:1]
    os.environ.update({"WSLINK_READY_MSG": "", "WSLINK_WS_COMPRESS": "0"})
    _draw_without_screen()
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(root, files, port, token, upload_limit))
    except OSError as error:
        raise InputError(f"port {port} cannot be used ({error.strerror}); give another --port") from error


async def _serve(root: DataRoot, files: Sequence[Path], port: int, token: str, upload_limit: int) -> None:
    from trame_slicer import module

    server = get_server("landmark-tracker", client_type="vue3")
    server.enable_module(module)
    session = Session(root)
    for path in files:
        session.open(path)
        if session.bench.problem:
            raise InputError(session.bench.problem)
    if files:
        first = session.bench.inputs.images()
        session.bench.inputs.choose_image(first[0] if first else None)
    page = Page(server, session)
    door = Door(token, upload_limit, page.take_upload)
    server.controller.add("on_server_bind")(door.bind)
    server.controller.add("on_exception")(page.apologise)
    server.controller.add("on_server_ready")(
        lambda **_: print(
            f"Open http://{HOST}:{server.port}/?token={token}\n"
            f"Files come from {root.folder}; stop with Ctrl+C.",
            flush=True,
        )
    )
    try:
        await server.start(
            port=port,
            host=HOST,
            timeout=0,
            open_browser=False,
            show_connection_info=False,
            exec_mode="coroutine",
        )
    finally:
        session.close()


def _draw_without_screen() -> None:
    """Let VTK draw off screen where there is no screen, and keep its warnings about that to itself.

    Raises:
        InputError: it can draw nothing here.
    """
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if ctypes.util.find_library("EGL"):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
        elif not ctypes.util.find_library("OSMesa"):
            raise InputError("nothing can be drawn without a screen here; install the package libegl1")
    vtk.vtkObject.GlobalWarningDisplayOff()
