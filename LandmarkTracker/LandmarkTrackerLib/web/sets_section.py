"""Section Landmark sets: detect what a model was trained for, and train one."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from LandmarkTrackerLib.scene.notices import reported
from LandmarkTrackerLib.web.session import Session
from LandmarkTrackerLib.web.widgets import Section, choose, number, offer, titled, words

MOST_STEPS = 1_000_000


class SetsSection:
    """Folders are inside the data folder, like everything that the page reads and writes."""

    def __init__(self, state: Any, session: Session) -> None:
        self.session, self.bench, self.state = session, session.bench, state
        self.context = session.bench.context
        state.update({"sets_open": False, "detector": "", "steps": self.bench.learning.steps})
        state.update({"annotated": "annotated", "model_folder": "my landmarks"})
        state.update({"subject_until": self.bench.learning.subject_until})
        state.change("detector")(self._choose)
        state.change("steps", "annotated", "model_folder", "subject_until")(self._settings)

    def draw(self, open_model: Any) -> None:
        with Section("Landmark sets", "sets"):
            choose("Detector", "detector", "detectors", no_data_text="Train one, or open a model file")
            with html.Div(classes="lt-row"):
                offer(
                    "Detect",
                    self.detect,
                    "Find the detector's landmarks in the image, all its frames, and ticked volumes.",
                    "detect_obstacle",
                )
                offer("Open detector…", open_model, "A model file (.pt) of the data folder.")
            html.Div("Train a detector", classes="lt-small lt-title")
            words("Folder of annotated images", "annotated")
            offer(
                "Add what is annotated here",
                self.save,
                "Save the image and ticked volumes in which you placed landmarks, to train on them.",
                "save_obstacle",
            )
            words("Folder of the model", "model_folder")
            with html.Div(classes="lt-row"):
                words("Subject ends at", "subject_until")
                number("Steps", "steps", 100, MOST_STEPS)
            with html.Div(classes="lt-row"):
                offer("Train", self.train, "Train a detector on the annotated images.", "train_obstacle")
                offer("Continue", self.resume, "Go on where the training was stopped.", "resume_obstacle")
                offer("Stop", self.stop, "Stop after the step in hand, ready to go on.", "stop_obstacle")
            vuetify.VProgressLinear(model_value=("trained",), height=5, color="success", rounded=True)
            html.Div("{{ training_text }}", classes="lt-small")
            html.Pre("{{ training_log }}", v_if=("training_log",), classes="lt-log")

    def values(self) -> dict[str, Any]:
        detection, learning = self.bench.detection, self.bench.learning
        done, total = learning.progress
        chosen = detection.chosen
        return {
            "detectors": titled([(choice.title, choice.name) for choice in detection.choices()]),
            "detector": chosen.name if chosen is not None else "",
            "detect_obstacle": self.bench.obstacle_busy or detection.obstacle,
            "save_obstacle": learning.obstacle_save,
            "train_obstacle": learning.obstacle,
            "resume_obstacle": learning.obstacle_continue,
            "stop_obstacle": learning.obstacle_stop,
            "trained": 100 * done / max(total, 1),
            "training_text": learning.text,
            "training_log": "\n".join(learning.log),
        }

    def detect(self) -> None:
        self.bench.detection.start()

    def save(self) -> None:
        self.bench.learning.save(bool(self.state.overwrite))

    def train(self) -> None:
        self.bench.learning.start()
        self.session.look_after_training()

    def resume(self) -> None:
        self.bench.learning.resume()
        self.session.look_after_training()

    def stop(self) -> None:
        self.bench.learning.stop()

    def _choose(self, detector: str, **_: Any) -> None:
        chosen = self.bench.detection.chosen
        if detector != (chosen.name if chosen is not None else ""):
            known = [choice.name for choice in self.bench.detection.choices()]
            self.bench.detection.choose(detector if detector in known else "")

    @reported
    def _settings(self, annotated: str, model_folder: str, subject_until: str, steps: Any, **_: Any) -> None:
        learning, root = self.bench.learning, self.session.root
        learning.images, learning.folder = root.find(annotated or ""), root.find(model_folder or "")
        learning.subject_until = subject_until
        learning.steps = min(max(int(steps or 0), 1), MOST_STEPS)
