"""Section Inputs: the image and the model."""

from __future__ import annotations

from typing import Any

from trame.widgets import html

from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, offer, titled

DEVICES = titled([("Automatic", "auto"), ("CPU", "cpu"), ("CUDA", "cuda")])


class InputsSection:
    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench = session, session.bench
        state.update({"image": "", "model": "", "device": "auto", "devices": DEVICES, "inputs_open": True})
        state.change("image")(self._choose_image)
        state.change("model", "device")(self._choose_model)

    def draw(self, browse: Any, upload: str) -> None:
        with Section("Inputs", "inputs"):
            with html.Div(classes="lt-row"):
                offer("Open…", browse, "Open a cine, a volume or landmarks from the data folder.")
                offer("Upload…", upload, "Send files from your computer.", classes="lt-do-upload")
            choose("Image", "image", "images", no_data_text="Open or upload an image first")
            with html.Div(classes="lt-row"):
                choose("Model", "model", "models")
                choose("Runs on", "device", "devices", style="max-width: 118px")
            html.Div("{{ model_title }} {{ runs_on }}", classes="lt-small")

    def values(self) -> dict[str, Any]:
        models, subject = self.bench.models, self.bench.inputs.subject
        automatic = (f"Automatic: {models.best.name}", "")
        return {
            "image": subject.node.GetID() if subject is not None else "",
            "images": titled([(node.GetName(), node.GetID()) for node in self.session.images()]),
            "model": models.name,
            "models": titled([automatic, *((choice.name, choice.name) for choice in models.choices())]),
            "model_title": models.chosen.title,
            "runs_on": f"Runs on {models.runs_on}." if models.runs_on else "",
            "device": models.device,
        }

    def _choose_image(self, image: str, **_: Any) -> None:
        subject = self.bench.inputs.subject
        if image != (subject.node.GetID() if subject is not None else ""):
            self.bench.inputs.choose_image(self.session.scene.GetNodeByID(image) if image else None)

    def _choose_model(self, model: str, device: str, **_: Any) -> None:
        if (model, device) != (self.bench.models.name, self.bench.models.device):
            self.bench.models.choose(model, device)
