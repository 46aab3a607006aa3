import subprocess
import sys

import numpy as np
from LandmarkTrackerLib.images import pixels
from LandmarkTrackerLib.simulation.phantom import Phantom


def test_a_seed_gives_the_same_patient_every_time_and_another_seed_another_one():
    again, other = Phantom(3, frames=4), Phantom(4, frames=4)
    first = Phantom(3, frames=4)
    assert (pixels(first.cine()[2]) == pixels(again.cine()[2])).all()
    assert (pixels(first.cine()[2]) != pixels(other.cine()[2])).any()
    assert (first.landmarks(2).positions == again.landmarks(2).positions).all()


def test_the_drawing_shows_at_a_landmark_what_lies_at_its_material_point():
    phantom = Phantom(1, frames=40)
    material = np.array([[90.0, 120.0], [60.0, 200.0], [150.0, 100.0], [210.0, 150.0]])
    for frame in (0, 17, 39):
        x = material + phantom._displacement(material, frame)
        back = x.copy()
        for _ in range(30):
            back = x - phantom._displacement(back, frame)
        np.testing.assert_allclose(back, material, atol=1e-6)


def test_the_liver_descends_by_centimetres_while_the_vertebra_stays():
    track = Phantom(0).track()
    travel = np.ptp(track.positions[:, :, 2], axis=0)
    assert travel[track.names.index("liver dome")] > 10
    assert travel[track.names.index("vertebra")] < 1.5


def test_a_lesion_is_darker_than_the_liver_around_it_in_every_frame():
    phantom = Phantom(2, frames=20)
    for frame in range(0, 20, 5):
        i, j, _ = np.rint(phantom.grid.to_index(phantom.landmarks(frame)["lesion"].position)).astype(int)
        shown = pixels(phantom.cine()[frame])[0]
        assert shown[j - 1 : j + 2, i - 1 : i + 2].mean() < 0.8 * shown[j - 8 : j + 9, i - 8 : i + 9].mean()


def test_every_landmark_lies_on_the_image():
    for seed in range(8):
        phantom = Phantom(seed, frames=30)
        assert all(phantom.grid.contains(phantom.landmarks(t).positions).all() for t in range(30))


def test_known_motion_is_drawn_without_torch():
    script = """
import sys
sys.modules["torch"] = None
import numpy as np
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.simulation.scans import Extent, draw_elastic
Phantom(frames=1).cine()[0]
draw_elastic(np.random.default_rng(0), (100, 100), Extent()).apply_to_points(np.ones((2, 2)))
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
