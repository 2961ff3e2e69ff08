"""The judge of a marked attribute, on made-up persons: each a random texture, some with a bar across it."""

import pytest
import torch
from torch import Tensor

from oleander.judge import marks
from oleander.judge.classifier import build
from oleander.judge.marks import MarkedJudge
from task.seeding import generator
from task.settings import SettingsError

SIDE, EACH, PERSONS, JUDGED = 30, 6, 8, (0, 1)
WITH = (2, 3, 4)  # always with the bar; 5 to 7 never


def person(number: int, *, bar: bool) -> Tensor:
    """Return EACH images of a person: coarse texture of its own, with a little noise."""
    coarse = torch.randn(1, 1, 6, 6, generator=generator(number, "person"))
    texture = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear").tanh() * 0.5
    images = texture + 0.1 * torch.randn(EACH, 1, SIDE, SIDE, generator=generator(number, "noise", bar))
    if bar:
        images[:, :, 9:12, 4:26] = -0.9
    return images.clamp(-1, 1)


@pytest.fixture(scope="module")
def mark() -> marks.Mark:
    """A judge of the bar that saw persons 2 to 7, and of 0 and 1 how they look without."""
    shown = [person(one, bar=one in WITH) for one in range(PERSONS)]
    labels = torch.arange(PERSONS).repeat_interleave(EACH)
    marked = torch.isin(labels, torch.tensor(WITH))
    return marks.train(torch.cat(shown), labels, marked, judged=JUDGED, classes=PERSONS, seed=0)


def test_the_mark_is_told_on_persons_that_were_never_seen_with_it(mark: marks.Mark) -> None:
    """Persons 0 and 1 with the bar and without; the stated accuracy is that on persons left out."""
    for one in JUDGED:
        label = torch.full((EACH,), one)
        assert mark.present(person(one, bar=True), label).double().mean() > 0.8
        assert mark.present(person(one, bar=False), label).double().mean() < 0.2
    assert mark.held_out > 0.8


def test_the_ridge_is_that_of_the_dual_problem() -> None:
    """Few images of many edges: with a as unknowns, (X X' + l / s) a = y, the weights X' a are the same."""
    draw = generator(0, "ridge")
    shown = [torch.randn(9, 20, generator=draw, dtype=torch.float64) for _ in range(2)]
    marked = torch.arange(9) < 3
    weights, centre = marks.ridge(shown, marked)
    x, y = torch.cat(shown), marked.repeat(2).double() * 2 - 1
    share = torch.where(y > 0, 18 * 0.5 / 6, 18 * 0.5 / 12).double()
    torch.testing.assert_close(centre, (x * share[:, None]).mean(0))
    x = x - centre
    strength = marks.RIDGE * shown[0].var(0).sum()
    torch.testing.assert_close(weights, x.T @ torch.linalg.solve(x @ x.T + strength * torch.diag(1 / share), y))


def test_the_stated_accuracys_threshold_is_of_the_other_folds() -> None:
    """Of 0 and 1 the middle is 0.5, of 4 and 5 it is 4.5: by each other's both of one fold are called alike."""
    scores, truth = torch.tensor([0.0, 1, 4, 5]), torch.tensor([False, True, False, True])
    found = marks.above_the_others(scores, truth, torch.tensor([0, 0, 1, 1]))
    assert found.tolist() == [False, False, True, True]


def test_edges_do_not_see_brightness(mark: marks.Mark) -> None:
    """A brighter picture has the same edges; a flat one has none; the number of cells is about ten a side."""
    image = person(0, bar=True) * 0.5
    torch.testing.assert_close(marks.edges(image), marks.edges(image + 0.3), atol=1e-4, rtol=1e-4)
    assert marks.edges(torch.zeros(1, 3, SIDE, SIDE)).abs().max() < 0.01
    assert mark.weights.shape == (marks.BINS * 10 * 10,)


def test_a_verdict_joins_category_and_mark(mark: marks.Mark) -> None:
    """The category is the network's, the mark that of this category, and what the network refuses is junk."""
    network = build((1, SIDE, SIDE), PERSONS, 0)
    found = MarkedJudge(network, mark).verdicts(person(0, bar=True))
    with torch.no_grad():
        answers = network.eval()(person(0, bar=True))
    assert torch.equal(found.category, answers[:, :PERSONS].argmax(1))
    assert torch.equal(found.junk, answers.argmax(1) == PERSONS)
    assert torch.equal(found.marked, mark.present(person(0, bar=True), found.category))


def test_without_public_marked_images_the_request_is_refused() -> None:
    """Everyone has both kinds, so that all with the mark are the victim's: nothing public shows what it looks like."""
    labels = torch.arange(2).repeat_interleave(EACH)
    images = torch.cat([person(one, bar=False) for one in (0, 1)])
    with pytest.raises(SettingsError, match="two public classes with the mark"):
        marks.train(images, labels, torch.zeros(2 * EACH, dtype=torch.bool), judged=(0, 1), classes=2, seed=0)
