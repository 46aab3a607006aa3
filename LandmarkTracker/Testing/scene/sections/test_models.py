"""Which model the user gets, and on what it runs."""

import pytest
import slicer
from LandmarkTrackerLib.methods.registry import UNTRAINED
from LandmarkTrackerLib.scene.nodes.sequences import add_cine
from LandmarkTrackerLib.scene.nodes.volumes import fill_volume
from LandmarkTrackerLib.scene.sections import models
from LandmarkTrackerLib.scene.workbench import Workbench
from LandmarkTrackerLib.simulation.phantom import Phantom

CARDS = (
    ("tracker-any", {"method": "tracker", "dimensions": [2, 3]}),
    ("tmn-heart", {"method": "tmn", "dimensions": 2, "modality": "MR", "title": "Hearts"}),
    ("tmn-chest", {"method": "tmn", "dimensions": 2, "modality": "CR, DX"}),
    ("tmn-volume", {"method": "tmn", "dimensions": 3}),
)


@pytest.fixture
def bench(scene, oblique_cine):
    bench = Workbench(scene)
    bench.inputs.choose_image(add_cine(scene, oblique_cine[0]))
    yield bench
    bench.close()


@pytest.fixture
def shipped(monkeypatch):
    """Says which of CARDS ship."""

    def ship(*names):
        cards = tuple((name, card) for name, card in CARDS if name in names)
        monkeypatch.setattr(models, "_cards", lambda: cards)

    return ship


def say_modality(scene, node, modality):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    hierarchy.SetItemAttribute(item, "DICOM.Modality", modality)


def test_the_better_method_comes_first_and_untrained_ones_last(bench, shipped):
    shipped("tracker-any", "tmn-heart")
    assert [choice.name for choice in bench.models.choices()] == ["tracker-any", "tmn-heart", *UNTRAINED]


def test_a_model_for_another_kind_of_image_is_offered_but_not_chosen(bench, shipped):
    shipped("tmn-volume", "tmn-heart")
    assert bench.models.best.name == "tmn-heart"
    choices = bench.models.choices()
    assert choices[-1].name == "tmn-volume"
    assert not choices[-1].fits


def test_without_a_fitting_model_an_untrained_method_runs(bench, shipped):
    shipped("tmn-volume")
    assert bench.models.best.name == "ncc"


def test_the_modality_that_dicom_states_decides(bench, shipped):
    shipped("tmn-heart", "tmn-chest")
    say_modality(bench.scene, bench.inputs.subject.node, "DX")
    assert bench.models.best.name == "tmn-chest"


def test_a_volume_gets_a_model_for_volumes(bench, shipped, oblique_cine):
    import SimpleITK as sitk

    volume = bench.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "ct")
    fill_volume(volume, sitk.JoinSeries([sitk.Extract(oblique_cine[0][0], (80, 80, 0))] * 5))
    bench.inputs.choose_image(volume)
    shipped("tmn-heart", "tmn-volume")
    assert bench.models.best.name == "tmn-volume"


def test_the_users_choice_is_kept(bench, shipped):
    shipped("tracker-any", "tmn-heart")
    bench.models.choose("tmn-heart")
    assert bench.models.chosen.title == "Hearts"
    bench.models.choose("")
    assert bench.models.chosen.name == "tracker-any"


def test_a_trained_model_without_pytorch_says_what_to_do(bench, shipped, monkeypatch):
    shipped("tmn-heart")
    monkeypatch.setattr(models.Models, "torch_missing", True)
    assert "Install PyTorch" in bench.models.obstacle
    assert bench.models.runs_on == "PyTorch is not installed"
    bench.models.choose("ncc")
    assert bench.models.obstacle == ""
    assert bench.models.runs_on == "CPU"


def test_the_device_is_said_once_there_is_an_image(bench, shipped, monkeypatch):
    shipped("tmn-heart")
    monkeypatch.setattr(models, "pick_device", lambda device: {"auto": "cuda"}[device])
    assert bench.models.runs_on == "CUDA"
    bench.inputs.choose_image(None)
    assert bench.models.runs_on == ""


def test_a_locator_is_loaded_once(bench):
    bench.models.choose("ncc")
    assert bench.models.locator() is bench.models.locator()


def test_every_model_that_ships_and_locates_can_be_chosen_and_loaded(bench):
    for choice in bench.models.choices():
        bench.models.choose(choice.name, "cpu")
        assert bench.models.locator().max_sigma_mm > 0


def test_a_model_that_was_trained_on_other_images_is_said_to_be_so(scene, bench):
    phantom = Phantom(3, frames=2).cine()
    bench.inputs.choose_image(add_cine(scene, phantom))
    bench.models.choose("tmn-chest-xray")
    assert "tmn-chest-xray was trained on other images" in bench.models.doubt
    bench.models.choose("ncc")
    assert bench.models.doubt == ""
