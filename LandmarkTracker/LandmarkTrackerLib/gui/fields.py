"""A setting as a Qt widget; Slicer's `connectGui` joins those that are kept in the parameter node to it."""

from __future__ import annotations

import math

import ctk
import qt

from LandmarkTrackerLib.gui.widgets import put, silent
from LandmarkTrackerLib.scene.actions import Choice, Setting, text_of

LIST_HEIGHT = 64


def is_joined(setting: Setting) -> bool:
    """Whether Slicer can join a widget to the setting's parameter."""
    parameter = setting.parameter
    if parameter is None or setting.several:
        return False
    return setting.choices is None or len(parameter.nodes) == 1


class Field:
    """A widget that shows a setting, and by which it is chosen.

    Attributes:
        widget: the one that the panel's file has, or a new one.
        label: before it; empty for a box, which has its label beside it.
        given: the panel's file has it, in its place; nothing else stands in its line then.
    """

    suffix = "Edit"

    def __init__(self, setting: Setting, widget=None) -> None:
        self.setting = setting
        self.given = self.alone = widget is not None
        self.widget = widget if widget is not None else self.made()
        self.label = f"{setting.label}:"
        self.joined = is_joined(setting)
        put(self.widget, objectName=f"{setting.name}{self.suffix}")
        if self.joined:
            put(self.widget, SlicerParameterName=setting.name)
        else:
            self.listen()

    def made(self):
        return qt.QLineEdit()

    def listen(self) -> None:
        """Let the widget choose; only where Slicer does not."""
        raise NotImplementedError(f"{self.setting.name} is kept where no widget like this is joined to it")

    def show(self) -> None:
        """Let the widget show the value; only where Slicer does not."""

    def refresh(self) -> None:
        """Show the value, and what it means or why it cannot be chosen now."""
        obstacle = self.setting.obstacle()
        put(self.widget, enabled=not obstacle, toolTip=obstacle or text_of(self.setting.tip))
        if not self.joined:
            with silent(self.widget):
                self.show()


class FlagField(Field):
    suffix = "CheckBox"

    def __init__(self, setting: Setting, widget=None) -> None:
        super().__init__(setting, widget)
        put(self.widget, text=setting.label)
        self.label = ""

    def made(self):
        return qt.QCheckBox()


class NumberField(Field):
    suffix = "SpinBox"

    def __init__(self, setting: Setting, widget=None) -> None:
        super().__init__(setting, widget)
        put(self.widget, suffix=f" {setting.unit}" if setting.unit else "", specialValueText=setting.least)
        if isinstance(setting.value, float):
            put(self.widget, decimals=max(0, math.ceil(-math.log10(setting.step))))
        put(self.widget, singleStep=setting.step)

    def made(self):
        return qt.QDoubleSpinBox() if isinstance(self.setting.value, float) else qt.QSpinBox()


class FolderField(Field):
    suffix = "Button"

    def made(self):
        return ctk.ctkDirectoryButton()


class SliderField(Field):
    suffix = "Slider"

    def made(self):
        return qt.QSlider(qt.Qt.Horizontal)

    def listen(self) -> None:
        self.widget.valueChanged.connect(self._moved)

    def show(self) -> None:
        low, high = self.setting.range()
        put(self.widget, maximum=round((high - low) / self.setting.step))
        put(self.widget, value=round((self.setting.value - low) / self.setting.step))

    def _moved(self, position: int) -> None:
        value = self.setting.range()[0] + position * self.setting.step
        self.setting.set(value if isinstance(self.setting.step, int) else round(value, 9))


class ChoiceField(Field):
    suffix = "Selector"

    def __init__(self, setting: Setting, widget=None) -> None:
        self._choices: list[Choice] = []
        super().__init__(setting, widget)

    def made(self):
        return qt.QComboBox()

    def listen(self) -> None:
        self.widget.currentIndexChanged.connect(self._chosen)

    def show(self) -> None:
        choices = self.setting.offered()
        if choices != self._choices:
            self._choices = choices
            self.widget.clear()
            for choice in choices:
                self.widget.addItem(choice.title)
        values = [choice.value for choice in choices]
        value = self.setting.value
        # What is not there any more is followed by the first.
        put(self.widget, currentIndex=values.index(value) if value in values else min(0, len(values) - 1))

    def _chosen(self, _index=None) -> None:
        index = int(self.widget.property("currentIndex"))
        if 0 <= index < len(self._choices):
            self.setting.set(self._choices[index].value)


class ChoicesField(Field):
    suffix = "List"

    def __init__(self, setting: Setting, widget=None) -> None:
        self._choices: list[Choice] = []
        super().__init__(setting, widget)
        put(self.widget, maximumHeight=LIST_HEIGHT)

    def made(self):
        return qt.QListWidget()

    def listen(self) -> None:
        self.widget.itemChanged.connect(self._ticked)

    def show(self) -> None:
        choices, chosen = self.setting.offered(), self.setting.value
        if choices != self._choices:
            self._choices = choices
            self.widget.clear()
            for choice in choices:
                item = qt.QListWidgetItem(choice.title)
                item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
                # There is no box to tick before it has a state.
                item.setCheckState(qt.Qt.Unchecked)
                self.widget.addItem(item)
        for n, choice in enumerate(choices):
            state = qt.Qt.Checked if choice.value in chosen else qt.Qt.Unchecked
            if self.widget.item(n).checkState() != state:
                self.widget.item(n).setCheckState(state)

    def _ticked(self, _item=None) -> None:
        values = [choice.value for choice in self._choices]
        chosen = tuple(v for n, v in enumerate(values) if self.widget.item(n).checkState() == qt.Qt.Checked)
        self.setting.set(chosen)


class NodeField(Field):
    """Its widget, which knows the scene, is in the panel's file."""

    suffix = "Selector"

    def listen(self) -> None:
        self.widget.currentNodeChanged.connect(self._chosen)

    def show(self) -> None:
        if self.widget.currentNode() is not self.setting.value:
            self.widget.setCurrentNode(self.setting.value)

    def _chosen(self, *_: object) -> None:
        node = self.widget.currentNode()
        if node is not self.setting.value:
            self.setting.set(node)


FIELDS = {
    "flag": FlagField,
    "number": NumberField,
    "slider": SliderField,
    "text": Field,
    "folder": FolderField,
    "choice": ChoiceField,
    "choices": ChoicesField,
    "node": NodeField,
}
