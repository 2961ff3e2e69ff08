"""Whether images explain an update."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attacks.mgan_batches import Batches
from attacks.mgan_options import Options
from attacks.update_match import Sent
from task.facts import Images
from task.private import turned
from task.seeding import generator


def trained(model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the update of one step of gradient descent."""
    model.zero_grad()
    functional.cross_entropy(model(images), labels).backward()
    return {name: -0.1 * one.grad for name, one in model.named_parameters() if one.grad is not None}


@pytest.fixture(name="client")
def fixture_client() -> tuple[nn.Module, Tensor, Tensor, Sent]:
    """A linear model, a client's images (two of class 0, one of class 2), and what it sent."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 3))
    images, labels = torch.rand(3, 1, 3, 3, generator=generator(1)), torch.tensor([0, 0, 2])
    return model, images, labels, Sent(model, trained(model, images, labels), torch.tensor([2 / 3, 0, 1 / 3]))


def test_the_clients_own_images_explain_its_update(client: tuple[nn.Module, Tensor, Tensor, Sent]) -> None:
    """One step on them is the update itself: distance 0; other images are further, opposite ones at most 2."""
    _, images, labels, sent = client
    assert sent.distance(images, labels).item() == pytest.approx(0, abs=1e-3)
    other = torch.rand(3, 1, 3, 3, generator=generator(2))
    assert 0.1 < sent.distance(other, labels).item() < 2


def test_a_category_weighs_what_it_does_in_the_clients_data(client: tuple[nn.Module, Tensor, Tensor, Sent]) -> None:
    """The image of class 2 four times over changes nothing."""
    _, images, labels, sent = client
    chosen = [0, 1, 2, 2, 2, 2]
    assert sent.distance(images[chosen], labels[chosen]).item() == pytest.approx(0, abs=1e-3)


def test_descending_it_leads_to_images_that_explain_the_update(client: tuple[nn.Module, Tensor, Tensor, Sent]) -> None:
    """Its slope reaches the images through the gradient; the model is left without one of its own."""
    model, _, labels, sent = client
    model.zero_grad(set_to_none=True)
    images = torch.rand(3, 1, 3, 3, generator=generator(3)).requires_grad_()
    descent = torch.optim.Adam([images], lr=0.05)
    before = sent.distance(images, labels).item()
    for _ in range(200):
        descent.zero_grad()
        sent.distance(images, labels).backward()
        descent.step()
    assert sent.distance(images, labels).item() < before / 5
    assert all(one.grad is None for one in model.parameters())


def test_the_turns_that_explain_the_update_are_drawn_most(client: tuple[nn.Module, Tensor, Tensor, Sent]) -> None:
    """The victim's images are the server's own, turned by 30 degrees: most angles drawn are nearer to 30 than to 0."""
    del client
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    images, labels = torch.zeros(60, 1, 12, 12) - 1, torch.arange(60) % 3
    for one, label in enumerate(labels.tolist()):  # a bar, thicker in each class
        images[one, :, 2:10, 5 : 6 + label] = 1.0
    private = turned(images, torch.full((60,), 30.0))
    sent = Sent(model, trained(model, private, labels), torch.full((3,), 1 / 3))
    options = Options(victim=0, turned=45.0, turn_match=0.05)
    batches = Batches(
        options, [0, 1, 2], Images(images, labels), None, generator=generator(4), device=torch.device("cpu")
    )
    assert batches.angles(1000).mean().abs() < 3
    batches.weigh(sent)
    drawn = batches.angles(1000)
    assert (drawn > 15).float().mean() > 0.55  # 1 / 3 of those drawn evenly, nearly all of the others
    assert drawn.abs().max() <= 45
