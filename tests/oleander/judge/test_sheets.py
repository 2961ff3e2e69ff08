"""The sheet of pictures of a server's attack."""

import torch
from torch import Tensor

from oleander.judge import sheets
from oleander.judge.sheets import Exhibits
from oleander.judge.victims import Belongings


def images(labels: list[int]) -> Tensor:
    """Return an image for each label, of its grey."""
    return (torch.tensor(labels) / 50).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)


def belongings(*held: tuple[int, int]) -> Belongings:
    """Return images of (client, label)."""
    clients, labels = zip(*held, strict=True)
    return Belongings(images=images(list(labels)), labels=torch.tensor(labels), client=torch.tensor(clients))


def exhibits(**changes: object) -> Exhibits:
    """Participant 0 holds classes 1 and 2, participant 1 holds 2, participant 2 holds 3."""
    given: dict[str, object] = {
        "loot": {label: images([label] * 5) for label in range(40)},
        "other": {},
        "not_owned": {1: images([1]), 5: images([5])},
        "representatives": belongings((0, 1), (1, 2), (2, 3)),
        "holdings": belongings((0, 1), (0, 2), (1, 2), (2, 3)),
        "victim": 0,
        "judged": (2,),
        "round": 7,
    }
    return Exhibits(**(given | changes))  # type: ignore[arg-type]  # mixed on purpose


def test_rows_show_the_others_the_victim_their_representatives_and_the_loot() -> None:
    """The other participant is the one that shares the victim's classes; what is missing is not among the images."""
    sheet = sheets.compose(exhibits(), 10, seed=0)
    names = [name.replace("\n", " ") for name, _, _ in sheet.rows]
    assert names == [
        "other participants",
        "participant 0, the victim",
        "representatives of participant 1",
        "representatives of participant 0",
        "loot, round 7",
        "classes that participant 0 does not hold",
        "“not participant 0”",
    ]
    rows = {name: by_class for name, (_, by_class, _) in zip(names, sheet.rows, strict=True)}
    assert sorted(rows["other participants"]) == [2, 3]
    assert sorted(rows["participant 0, the victim"]) == [1, 2]
    assert sorted(rows["classes that participant 0 does not hold"]) == [5]
    assert sheet.owned == {1, 2}
    assert sheet.columns == tuple(range(10))


def test_of_many_classes_the_judged_come_first() -> None:
    """Then the victim's others, then some that it does not hold; twelve in all."""
    assert sheets.compose(exhibits(), 40, seed=0).columns == (2, 1, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11)


def test_without_a_victim_there_is_no_frame() -> None:
    """An attack on nobody in particular."""
    sheet = sheets.compose(exhibits(victim=None, representatives=None, not_owned={}), 10, seed=0)
    assert sheet.owned == frozenset()
    assert [name for name, by_class, _ in sheet.rows if by_class] == ["participants", "loot, round 7"]


def test_a_sheet_without_pictures_is_none() -> None:
    """There is nothing to draw."""
    sheet = sheets.Sheet(columns=(0,), owned=frozenset(), rows=(("loot", {}, 4),), title="")
    assert sheets.draw(sheet, ("0",)) is None


def test_pictures_stand_below_their_class() -> None:
    """In two columns of 8 pixels and a gap each: class 1's grey in the second, nothing in the first."""
    sheet = sheets.Sheet(columns=(0, 1), owned=frozenset({1}), rows=(("loot", {1: images([10])}, 1),), title="")
    figure = sheets.draw(sheet, ("a", "b"))
    assert figure is not None
    canvas = figure.axes[0].get_images()[0].get_array()
    assert canvas is not None
    assert canvas.shape == (9, 18, 4)
    assert canvas[4, :9, 3].max() == 0
    assert canvas[4, 12].tolist()[:3] == [torch.tensor(0.6).item()] * 3
