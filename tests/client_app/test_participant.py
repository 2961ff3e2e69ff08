"""What a participant knows and draws."""

import pytest
import torch

from client_app.participant import Participant
from task import private
from task.datasets import load, to_float
from task.settings import PrivateSettings, TaskSettings


def participant(client: int) -> Participant:
    """Return a participant that holds eleven digits, in a federation whose participant 2 holds turned ones."""
    return Participant(
        client=client,
        seed=0,
        task=TaskSettings(
            dataset="digits",
            model="digits-cnn",
            images_per_round=5,
            private=PrivateSettings(kind="rotated", client=2, degrees=90),
        ),
        dataset=load("digits"),
        indices=torch.arange(40, 51),
        device="cpu",
        behaviour={},
        rounds=3,
        clients=4,
    )


@pytest.mark.parametrize("client", [1, 2])
def test_a_draw_is_of_what_the_participant_really_holds(client: int) -> None:
    """Five different images of the eleven with their labels, another five in the next round; participant 2's turned."""
    who, digits = participant(client), load("digits")
    held = digits.train.images[who.indices]
    own = {image.numpy().tobytes() for image in to_float(private.turn(held, 90) if client == 2 else held)}
    drawn = who.draw(1)
    assert len({image.numpy().tobytes() for image in drawn.images}) == 5
    assert all(image.numpy().tobytes() in own for image in drawn.images)
    assert set(drawn.labels.tolist()) <= set(digits.train.labels[who.indices].tolist())
    assert torch.equal(who.draw(1).images, drawn.images)
    assert not torch.equal(who.draw(2).images, drawn.images)
