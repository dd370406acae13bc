"""Colours that readers can tell apart, by the formulas of colorimetry."""

from itertools import combinations

import numpy as np
import pytest

from latentmap.draw.colors import OKABE_ITO
from latentmap.report.palette import GROUPS, group_colors

# sRGB (IEC 61966-2-1) to XYZ under D65.
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
)
WHITE = TO_XYZ.sum(axis=1)

# How linear sRGB looks to dichromats (Machado, Oliveira and Fernandes 2009, severity 1).
DICHROMATS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


def linear(color):
    """Linear sRGB of #rrggbb."""
    values = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB of linear sRGB."""
    ratio = np.clip(rgb, 0, 1) @ TO_XYZ.T / WHITE
    x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one, other):
    """CIEDE2000 (Sharma, Wu and Dalal 2005, doi:10.1002/col.20070)."""
    (light1, a1, b1), (light2, a2, b2) = one, other

    def evenness(chroma):
        return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))

    stretch = 1 + 0.5 * (1 - evenness((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2))
    chroma1, chroma2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    hue1, hue2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = chroma1 * chroma2 == 0
    turn = 0.0 if grey else (hue2 - hue1 + 180) % 360 - 180
    hue = hue1 + hue2 if grey else (hue1 + turn / 2) % 360
    light, chroma = (light1 + light2) / 2, (chroma1 + chroma2) / 2
    cosines = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    t = 1 + sum(f * np.cos(np.radians(n * hue + shift)) for f, n, shift in cosines)
    by_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    rotation = -2 * evenness(chroma) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    parts = (
        (light2 - light1) / by_light,
        (chroma2 - chroma1) / (1 + 0.045 * chroma),
        2 * np.sqrt(chroma1 * chroma2) * np.sin(np.radians(turn / 2)) / (1 + 0.015 * chroma * t),
    )
    return np.sqrt(sum(part**2 for part in parts) + rotation * parts[1] * parts[2])


def nearest(colors):
    """The smallest difference of two colours, given in CIELAB."""
    return min(difference(*pair) for pair in combinations(colors, 2))


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.903),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_the_difference_is_that_of_the_published_examples(one, other, published):
    assert difference(one, other) == pytest.approx(published, abs=1e-4)


@pytest.mark.parametrize(("count", "least"), [(8, 20), (10, 20), (12, 20), (24, 18), (50, 12)])
def test_groups_can_be_told_apart(count, least):
    colors = list(group_colors({}, [f"{number:03}" for number in range(count)]).values())
    assert len(set(colors)) == count
    assert nearest([lab(linear(color)) for color in colors]) >= least


@pytest.mark.parametrize("vision", DICHROMATS)
def test_colour_blind_readers_can_tell_the_first_eight_apart(vision):
    seen = [lab(linear(color) @ np.array(DICHROMATS[vision]).T) for color in GROUPS[:8]]
    assert nearest(seen) >= 10


def test_colors_show_on_white_and_on_dark_grey():
    dark = (linear("#121212") @ TO_XYZ.T)[1]
    for color in GROUPS:
        luminance = (linear(color) @ TO_XYZ.T)[1]
        # The yellow of Okabe and Ito is the faintest on white; points have a dark outline.
        assert 1.05 / (luminance + 0.05) > (1.7 if color != OKABE_ITO[3] else 1.3)
        assert (luminance + 0.05) / (dark + 0.05) > 2.3


def test_given_colors_stay_and_others_get_the_next_free_one():
    colors = group_colors({"a": None, "b": OKABE_ITO[0].lower(), "c": None})
    assert colors == {"a": OKABE_ITO[1], "b": OKABE_ITO[0].lower(), "c": OKABE_ITO[2]}


def test_groups_of_the_samples_follow_the_configured_ones():
    assert list(group_colors({"z": None}, ["b", "a", "z"])) == ["z", "a", "b"]


def test_every_group_has_a_color_however_many_there_are():
    assert len(group_colors({}, map(str, range(1000)))) == 1000
