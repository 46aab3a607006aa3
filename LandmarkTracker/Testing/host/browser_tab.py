"""What a person does on the page, and sees there; with a real mouse."""

from __future__ import annotations

import re
import zipfile

import numpy as np

# Where a slice view is drawn.
VIEW = ".layout-grid-item"


class Tab:
    """A page of the workbench that is open in Chromium."""

    def __init__(self, page) -> None:
        self.page = page
        page.wait_for_selector(".lt-panel")

    def press(self, button: str) -> None:
        self.page.locator(f".lt-do-{button}").click()

    def says(self, text: str) -> None:
        """Wait until the line at the top says so."""
        self.page.locator(".lt-status", has_text=re.compile(text)).wait_for()

    def finish(self, change: str) -> None:
        """Wait until the work that can be undone as this change has come to its end."""
        self.page.locator(".lt-do-undo", has_text=re.compile(f"Undo: {change}")).wait_for()
        self.page.wait_for_function("document.querySelector('.lt-do-cancel').disabled")

    def click(self, place) -> None:
        x, y = map(round, place)
        self.page.mouse.move(x - 3, y - 3)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.up()

    def drag(self, start, end) -> None:
        start, end = np.round(np.array([start, end], float))
        self.page.mouse.move(*start)
        self.page.wait_for_timeout(200)
        self.page.mouse.down()
        for part in np.linspace(0, 1, 6)[1:]:
            self.page.mouse.move(*(start + part * (end - start)))
        self.page.wait_for_timeout(200)
        self.page.mouse.up()

    def bring_closer(self, place) -> None:
        """Move a place to the middle of the view with Shift, and zoom in with the right button."""
        box = self.page.locator(VIEW).bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.keyboard.down("Shift")
        self.drag(place, middle)
        self.page.keyboard.up("Shift")
        self.page.mouse.move(*middle)
        self.page.mouse.down(button="right")
        self.page.mouse.move(middle[0], middle[1] + 150, steps=10)
        self.page.mouse.up(button="right")
        self.page.wait_for_timeout(500)

    def rows(self) -> list[tuple[str, str]]:
        """The landmarks and how they are in the frame in view."""
        script = "rows => rows.map(r => [r.querySelector('input').value, r.cells[1].innerText])"
        return [
            tuple(row) for row in self.page.locator(".lt-section-landmarks tbody tr").evaluate_all(script)
        ]

    def wait_for_rows(self, *states: str) -> None:
        self.page.wait_for_function(
            "states => { const rows = [...document.querySelectorAll('.lt-section-landmarks tbody tr')];"
            "return rows.length === states.length"
            " && rows.every((row, n) => row.cells[1].innerText.match(states[n])) }",
            arg=list(states),
        )

    def choose(self, field: str, title: str) -> None:
        """Pick a title from a list."""
        self.page.locator(f".lt-{field}").click()
        titles = self.page.locator(".v-overlay-container .v-list-item-title")
        item = titles.filter(has_text=re.compile(f"^{title}$"))
        item.click()
        # The list of the next field is not to be mistaken for this one while it fades.
        self.page.locator(".v-overlay-container .v-list").wait_for(state="detached")

    def frame(self) -> int:
        """The frame in view."""
        text = self.page.locator(".lt-bar", has_text="Frame").inner_text()
        return int(re.search(r"Frame (\d+) of", text)[1])

    def go_to(self, frame: int, last: int) -> None:
        """Press on the slider's track."""
        box = self.page.locator(".lt-frame .v-slider-track").bounding_box()
        # Just inside, also for the first and the last frame.
        across = 1 + (box["width"] - 2) * frame / last
        self.page.mouse.click(box["x"] + across, box["y"] + box["height"] / 2)
        self.page.locator(".lt-bar", has_text=f"Frame {frame} of").wait_for()

    def download(self, button: str) -> zipfile.ZipFile:
        with self.page.expect_download() as waiting:
            self.press(button)
        return zipfile.ZipFile(waiting.value.path())

    def unfold(self, section: str) -> None:
        self.page.locator(f".lt-section-{section} h2").click()
