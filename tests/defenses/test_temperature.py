"""Temperature: every logit divided by it, no answer changed."""

import pytest
import torch
from torch.nn import functional

from defenses import registry
from defenses.protocols import Trained
from task import models
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.settings import SettingsError

FACTS = TaskFacts(shape=(1, 8, 8), classes=10, outputs=10, model="digits-cnn", clients=4)


def test_logits_are_divided() -> None:
    """By 4; the rise of the loss is that of the logits so divided."""
    model = models.build("digits-cnn", (1, 8, 8), 10, generator(0)).eval()
    images = torch.rand(20, 1, 8, 8, generator=generator(1))
    before = model(images).detach()
    own = Images(images, before.argmax(1))
    trained = Trained(before=models.weights(model), model=model, own=own, spare=own)
    found = registry.model_defense("temperature", {"temperature": 4}, FACTS, generator(0)).protect(
        trained, generator(1)
    )
    model.load_state_dict(found.weights)
    torch.testing.assert_close(model(images).detach(), before / 4)
    losses = [functional.cross_entropy(one, own.labels).item() for one in (before, before / 4)]
    assert found.metrics == {"loss_rise": pytest.approx(losses[1] - losses[0], abs=1e-5), "labels_changed": 0}


def test_no_temperature_below_zero() -> None:
    """Nor zero."""
    for wrong in (0.0, -1.0, float("inf")):
        with pytest.raises(SettingsError, match="temperature > 0"):
            registry.options("temperature", {"temperature": wrong})
