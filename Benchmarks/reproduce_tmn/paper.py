"""The figures of Frueh et al. 2022 on their own images (Tables 1 to 3 and section IV), in pixels and ms.

Of Figs. 5 and 6 only what the text states is known as a number.
"""

from __future__ import annotations

Figures = dict[str, float]

# Chest radiographs, on which Tables 2 and 3 and Fig. 6 are: pixels along a side.
SIDE = 224


def _error(mean: float, sd: float, cuda: float, cpu: float) -> Figures:
    return {"mean": mean, "sd": sd, "cuda": cuda, "cpu": cpu}


TABLE_1: dict[str, Figures] = {
    "MR-LINAC (within-subject)": {
        "template_mean": 3.7,
        "template_sd": 5.4,
        "cyclic_mean": 6.6,
        "cyclic_sd": 8.7,
        "mean": 1.8,
        "sd": 1.7,
        "max": 3.1,
    },
    "Abdominal MRI (within-subject)": {
        "template_mean": 2.2,
        "template_sd": 2.8,
        "cyclic_mean": 4.3,
        "cyclic_sd": 4.2,
        "mean": 2.1,
        "sd": 0.94,
        "max": 3.5,
    },
    "Chest X-ray (cross-subject)": {
        "template_mean": 2.2,
        "template_sd": 1.5,
        "cyclic_mean": 4.4,
        "cyclic_sd": 3.7,
        "mean": 5.8,
        "sd": 3.9,
        "max": 13.5,
    },
}

# Methods by the names that the tables here use.
FEW_SHOT: dict[str, Figures] = {
    "supervised": _error(8.5, 5.7, 11, 90) | {"examples": 50},
    "simclr": _error(6.2, 4.3, 1200, 140000) | {"examples": 30},
    "pretrained": _error(6.3, 4.0, 11, 90) | {"examples": 50},
    "tmn": _error(5.0, 3.4, 17, 150) | {"examples": 20},
}
SINGLE_SHOT: dict[str, Figures] = {
    "supervised": _error(15.6, 10.4, 11, 90),
    "simclr": _error(14.8, 6.7, 1200, 140000),
    "pretrained": _error(14.9, 11.4, 11, 90),
    "tmn": _error(5.6, 3.8, 6, 75),
}

ENCODERS: dict[str, Figures] = {
    "vgg16": _error(5.0, 3.5, 17, 150),
    "resnet50": _error(4.7, 3.2, 21, 110),
    "densenet121": _error(4.7, 3.2, 41, 107),
    "convnext_small": _error(4.8, 3.4, 20, 316),
}
LAYERS: dict[int, Figures] = {
    1: _error(11.5, 8.9, 17, 98),
    2: _error(5.3, 3.8, 20, 105),
    3: _error(4.7, 3.2, 21, 110),
    4: _error(4.9, 3.4, 24, 120),
}
LOSSES: dict[str, Figures] = {"gaussian": _error(4.7, 3.2, 21, 110), "laplace": _error(4.5, 3.3, 21, 110)}

PATCHES: dict[int, Figures] = {
    32: {"mean": 5.6},
    50: {"mean": 5.8},
    80: {"template_mean": 2.2, "cyclic_mean": 4.4},
}
# (method, number of examples) to the mean.
EXAMPLES: dict[tuple[str, int], float] = {
    ("supervised", 1): 15.6,
    ("supervised", 50): 8.5,
    ("simclr", 1): 14.8,
    ("simclr", 5): 6.6,
    ("simclr", 30): 6.2,
    ("pretrained", 1): 14.9,
    ("pretrained", 50): 6.3,
    ("tmn", 1): 5.6,
    ("tmn", 20): 5.0,
}
