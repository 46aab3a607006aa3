"""Section Inputs: the image, the model, and volumes of other subjects."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, offer, titled

DEVICES = titled([("Automatic", "auto"), ("CPU", "cpu"), ("CUDA", "cuda")])


class InputsSection:
    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench = session, session.bench
        state.update(
            {
                "image": "",
                "model": "",
                "device": "auto",
                "devices": DEVICES,
                "inputs_open": True,
                "others": [],
            }
        )
        state.change("image")(self._choose_image)
        state.change("others")(self._choose_others)
        state.change("model", "device")(self._choose_model)

    def draw(self, browse: Any, upload: str) -> None:
        with Section("Inputs", "inputs"):
            with html.Div(classes="lt-row"):
                offer("Open…", browse, "Open a cine, a volume or landmarks from the data folder.")
                offer("Upload…", upload, "Send files from your computer.", classes="lt-do-upload")
            choose("Image", "image", "images", no_data_text="Open or upload an image first")
            choose("Model", "model", "models")
            html.Div("{{ model_title }} {{ runs_on }}", classes="lt-small")
            with html.Div(v_if=("volumes.length",)):
                html.Div(
                    "Other subjects: tick volumes to find, detect or save in", classes="lt-small lt-title"
                )
                with html.Div(classes="lt-scroll"):
                    vuetify.VCheckbox(
                        v_for=("volume in volumes",),
                        key=("volume.value",),
                        label=("volume.title",),
                        value=("volume.value",),
                        v_model=("others",),
                        density="compact",
                        hide_details=True,
                    )

    def draw_device(self) -> None:
        """Among what few people change."""
        choose("Device", "device", "devices")

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
            "volumes": titled([(node.GetName(), node.GetID()) for node in self.bench.inputs.volumes()]),
            "others": [other.node.GetID() for other in self.bench.inputs.others],
        }

    def _choose_image(self, image: str, **_: Any) -> None:
        subject = self.bench.inputs.subject
        if image != (subject.node.GetID() if subject is not None else ""):
            self.bench.inputs.choose_image(self.session.scene.GetNodeByID(image) if image else None)

    def _choose_others(self, others: list[str], **_: Any) -> None:
        if others != [other.node.GetID() for other in self.bench.inputs.others]:
            nodes = [node for node in self.bench.inputs.volumes() if node.GetID() in others]
            self.bench.inputs.choose_others(nodes)

    def _choose_model(self, model: str, device: str, **_: Any) -> None:
        if (model, device) != (self.bench.models.name, self.bench.models.device):
            self.bench.models.choose(model, device)
