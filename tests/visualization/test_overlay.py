import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.visualization.overlay import draw_legend, draw_overlay, paint_mask
from rvos.visualization.palette import distinct_colours

RED = (255, 0, 0)


@given(st.integers(0, 10**6), st.integers(1, 20), st.integers(1, 20))
def test_only_pixels_of_the_mask_change(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 255, (height, width, 3), np.uint8)
    mask = random.random((height, width)) < 0.5
    original = image.copy()
    painted = draw_overlay(image, mask[None], colours=[RED])
    assert (image == original).all()
    assert (painted[~mask] == image[~mask]).all()


def test_inside_is_blended_and_the_contour_is_solid() -> None:
    image = np.full((9, 9, 3), 100, np.uint8)
    mask = np.zeros((9, 9), bool)
    mask[2:7, 2:7] = True
    paint_mask(image, mask, RED, opacity=0.5)
    assert image[4, 4].tolist() == [178, 50, 50]
    assert image[2, 4].tolist() == [255, 0, 0]
    assert image[1, 4].tolist() == [100, 100, 100]


def test_an_object_at_the_border_keeps_its_contour() -> None:
    image = np.zeros((6, 6, 3), np.uint8)
    paint_mask(image, np.ones((6, 6), bool), RED, opacity=0.5)
    assert (image[0] == RED).all()
    assert (image[:, -1] == RED).all()
    assert image[3, 3].tolist() == [128, 0, 0]


def test_empty_mask_and_no_mask_change_nothing() -> None:
    image = np.full((5, 4, 3), 9, np.uint8)
    assert (draw_overlay(image, np.zeros((2, 5, 4), bool)) == image).all()
    assert (draw_overlay(image, np.zeros((0, 5, 4), bool)) == image).all()


def test_masks_take_the_palette_in_order() -> None:
    masks = np.zeros((2, 6, 6), bool)
    masks[0, :3], masks[1, 3:] = True, True
    painted = draw_overlay(np.zeros((6, 6, 3), np.uint8), masks, opacity=1.0)
    assert [tuple(painted[0, 0].tolist()), tuple(painted[5, 0].tolist())] == distinct_colours(2)


def test_one_mask_per_colour_is_required() -> None:
    with pytest.raises(ValueError, match="zip"):
        draw_overlay(np.zeros((4, 4, 3), np.uint8), np.ones((2, 4, 4), bool), colours=[RED])


def test_legend_shows_colour_and_text_at_the_top() -> None:
    image = np.full((120, 200, 3), 90, np.uint8)
    drawn = draw_legend(image, ["a dog"], [RED])
    assert (image == 90).all()
    assert (drawn == RED).all(-1).sum() > 20
    assert (drawn.min(-1) > 200).sum() > 10
    assert (drawn[40:] == 90).all()


def test_long_label_stays_inside() -> None:
    drawn = draw_legend(np.full((120, 130, 3), 90, np.uint8), ["word " * 40], [RED])
    assert (drawn[:, -1] != 255).all()
    assert (drawn[40:] == 90).all()


def test_lines_that_do_not_fit_are_left_out() -> None:
    drawn = draw_legend(np.full((120, 130, 3), 90, np.uint8), ["a"] * 30, [RED] * 30)
    assert (drawn[40:] == 90).all()


def test_small_frame_has_no_legend() -> None:
    image = np.full((64, 200, 3), 90, np.uint8)
    assert (draw_legend(image, ["a dog"], [RED]) == image).all()
