"""How pictures stand on the page of a run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from run_pages import SMALL, SMALL_SIZE, figure, matrix

from lucidtorch.recipes.page.layout import LARGE, MOST_TIMES, ROOM, blocks, shown_width
from lucidtorch.recipes.page.layout import SMALL as MANY
from lucidtorch.recipes.story import Figure, Section

SIZES = {SMALL: SMALL_SIZE}


@given(st.integers(1, 4000), st.integers(1, 2000))
def test_pictures_are_enlarged_by_whole_numbers_or_fill_the_room(width: int, room: int) -> None:
    shown = shown_width(width, room)
    assert shown <= room
    if width >= room:
        assert shown == room
    else:
        assert shown % width == 0
        assert 1 <= shown // width <= MOST_TIMES
        assert shown == MOST_TIMES * width or shown + width > room


@given(st.integers(1, 40), st.integers(1, 30), st.booleans(), st.integers(1, 600))
def test_a_matrix_keeps_its_rows_and_fits_the_page(rows: int, columns: int, named: bool, side: int) -> None:
    section = matrix(rows, columns, named=named)
    [found] = blocks(section, {SMALL: (side, side)})
    laid = [row for part in found.parts for row in part]
    assert [figure for row in laid for figure in row.figures] == list(section.figures)
    assert [row.name for row in laid] == (list(section.row_names) or [""] * rows)
    assert found.full <= ROOM + 2 * columns
    assert found.least <= found.full
    assert len({len(part) for part in found.parts[:-1]}) <= 1


def test_few_pictures_are_large_and_many_small() -> None:
    for count, kind, most in ((1, "few", LARGE), (4, "few", ROOM // 4), (5, "wall", MANY), (90, "wall", MANY)):
        [found] = blocks(Section("One", (), (figure(),) * count), SIZES)
        assert (found.kind, found.folded) == (kind, False)
        assert found.width <= most


def test_whole_pictures_stand_alone_and_fold_away_what_they_show() -> None:
    sheet = figure(whole=True)
    for count, folded in ((64, False), (65, True)):
        found = blocks(Section("One", (), (sheet, sheet, *[figure()] * count)), SIZES)
        assert [(one.kind, len(one.figures), one.folded) for one in found] == [
            ("whole", 2, False),
            ("wall", count, folded),
        ]


def test_a_film_of_unknown_size_has_the_room_that_there_is() -> None:
    film = Figure("film.mp4", "a film", "A film")
    [found] = blocks(Section("One", (), (film,)), SIZES)
    assert found.width == LARGE
