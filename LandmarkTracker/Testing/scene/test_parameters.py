"""Choices are kept once, in the scene's parameter node, as Slicer's `parameterNodeWrapper` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.parameters import Parameter, Parameters
from LandmarkTrackerLib.scene.workbench import PARAMETERS, Workbench


class Section:
    flag = Parameter("flag", True)
    count = Parameter("count", 3, limits=(1, 9))
    size = Parameter("size", 0.5, limits=(0, 2))
    words = Parameter("words", "a")
    folder = Parameter("folder", Path("here"))
    several = Parameter[tuple[str, ...]]("several", ())
    side = Parameter("side", "left", choices={"left": "Left", "right": "Right"})
    volume = Parameter("volume", None, nodes=("vtkMRMLScalarVolumeNode",))


@pytest.fixture
def section(bench):
    section = Section()
    section.context = bench.context
    return section


@pytest.fixture
def node(bench):
    return bench.context.parameters.node


def test_what_is_not_there_has_its_default(section, node):
    assert (section.flag, section.count, section.size, section.words) == (True, 3, 0.5, "a")
    assert (section.folder, section.several, section.side, section.volume) == (Path("here"), (), "left", None)
    assert not node.HasParameter("flag")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("flag", False, "False"),
        ("count", 7, "7"),
        ("size", 1.25, "1.25"),
        ("words", "b c", "b c"),
        ("folder", Path("there") / "too", str(Path("there") / "too")),
        ("several", ("elastix", "plastimatch"), "elastix\nplastimatch"),
        # Slicer keeps the name of an enumeration's member.
        ("side", "right", "RIGHT"),
    ],
)
def test_a_value_is_written_as_slicer_writes_it_and_read_back(section, node, name, value, text):
    setattr(section, name, value)
    assert node.GetParameter(name) == text
    assert getattr(section, name) == value


def test_a_node_is_a_reference_with_a_parameter_of_its_name(section, node, scene):
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    section.volume = volume
    assert section.volume is volume
    # Without it Slicer takes the reference for one that was never set, and writes the default over it.
    assert node.HasParameter("volume")
    section.volume = None
    assert node.GetNodeReference("volume") is None


def test_what_the_node_holds_that_is_none_of_ours_is_the_default(section, node):
    node.SetParameter("count", "many")
    node.SetParameter("side", "UP")
    assert (section.count, section.side) == (3, "left")


def test_a_value_that_is_no_choice_is_refused(section):
    with pytest.raises(ValueError, match="side is one of"):
        section.side = "up"


def test_a_scene_has_one_parameter_node_and_it_comes_back_when_it_was_removed(scene):
    parameters = Parameters(scene)
    node = parameters.node
    assert parameters.node is node
    assert (node.GetSingletonTag(), node.GetAttribute("ModuleName")) == ("LandmarkTracker", "LandmarkTracker")
    scene.RemoveNode(node)
    assert parameters.node.GetScene() is scene


def test_what_is_chosen_in_the_node_is_what_the_workbench_uses(bench, scene, node, oblique_cine):
    heard = []
    bench.changed.AddObserver("ModifiedEvent", lambda *_: heard.append(1))
    browser = add_cine(scene, oblique_cine[0])
    node.SetParameter("image", "")
    node.SetNodeReferenceID("image", browser.GetID())
    assert bench.inputs.subject.node is browser
    node.SetParameter("direction", "BACKWARD")
    assert bench.propagation.direction == "backward"
    node.SetParameter("uncertainBelow", "80")
    assert bench.review.uncertain_below == 0.8
    assert len(heard) >= 3


def test_what_the_workbench_chooses_is_in_the_node(bench, scene, node, oblique_cine):
    browser = add_cine(scene, oblique_cine[0])
    bench.inputs.choose_image(browser)
    bench.placement.start()
    assert node.GetNodeReference("image") is browser
    assert node.GetNodeReference("landmarks") is bench.inputs.subject.point_list
    bench.undo()
    assert node.GetNodeReference("landmarks") is None


def test_an_image_that_is_refused_is_not_left_chosen(bench, scene, node, oblique_cine):
    browser = add_cine(scene, oblique_cine[0])
    bench.inputs.choose_image(browser)
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    node.SetNodeReferenceID("image", empty.GetID())
    assert "'empty' holds no image" in bench.problem
    assert node.GetNodeReference("image") is browser


def test_choices_come_back_with_a_saved_scene(app, bench, scene, oblique_cine, tmp_path):
    bench.inputs.choose_image(add_cine(scene, oblique_cine[0]))
    bench.propagation.live, bench.reliability_map.limit_mm = True, 7.0
    bench.exports.programs = ("elastix",)
    assert scene.WriteToMRB(str(tmp_path / "scene.mrb"), None)
    scene.Clear(0)
    assert not bench.propagation.live
    assert scene.ReadFromMRB(str(tmp_path / "scene.mrb"), False)
    assert bench.propagation.live
    assert (bench.reliability_map.limit_mm, bench.exports.programs) == (7.0, ("elastix",))
    assert bench.inputs.subject is not None
    assert bench.inputs.subject.name == "oblique"


def test_no_two_parameters_share_a_name():
    assert len({parameter.name for parameter in PARAMETERS}) == len(PARAMETERS) > 25


def test_a_new_workbench_takes_up_what_is_chosen(scene, oblique_cine):
    first = Workbench(scene)
    first.inputs.choose_image(add_cine(scene, oblique_cine[0]))
    first.close()
    second = Workbench(scene)
    assert second.inputs.subject.name == "oblique"
    second.close()
