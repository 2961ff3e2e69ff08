"""The numbers of one target on loot whose worth is known."""

import pytest
import torch
from torch import Tensor

from oleander.judge import distances, targets, truth
from oleander.judge.classifier import Judge
from task.datasets import Dataset


def test_rounds_are_summed_up_as_they_are() -> None:
    """The last five are averaged; the minimum over rounds names its round, and how many it was chosen from."""
    lines = [
        {"round": number, "recognised": number / 10, "eq6_pairs": 5.0, "mse_of_means": abs(number - 4), "nn_rmse": 1.0}
        for number in range(1, 8)
    ]
    found = targets.over_rounds(lines)
    assert found["recognised_final_rounds"] == pytest.approx(0.5)
    assert found["final_rounds"] == 5
    assert found["first_round"]["mse_of_means"] == 3
    assert found["paper_style_minimum"]["mse_of_means"] == {"value": 0, "round": 4, "loot_rounds_seen": 7}


def test_the_owners_own_images_are_recognised_for_what_they_are(
    judge_model: Judge, digits: Dataset, holding: dict[int, Tensor]
) -> None:
    """As loot they are 0 from the owner's, similar to themselves, as diverse as real, and known to be the owner's."""
    known = truth.reveal(digits, holding, 3, 5, seed=0)
    loot = known.images[:40]
    round_ = targets.in_one_round(judge_model, known, loot)
    end = targets.at_the_end(judge_model, known, loot, None, torch.Generator().manual_seed(0))
    assert round_["nn_rmse"] == 0
    assert round_["nn_rmse_by_class"][3] == 0
    assert round_["nn_rmse_other"] > 0.3
    assert sum(round_["answers"]) == pytest.approx(1)
    assert round_["recognised"] == round_["answers"][3] > 0.9
    assert end["ssim_nearest"] == pytest.approx(1)
    assert end["nearest_images_used"] == 40
    assert end["diversity_real"] == pytest.approx(round_["diversity"])
    assert end["owner_p"] == pytest.approx(1 / (targets.OWNER_TRIES + 1))
    assert end["owner_advantage"] == pytest.approx(distances.nearest(loot, known.others)[0].mean().item())
    assert end["global_model_agrees"] is None


def test_noise_is_nothing(judge_model: Judge, digits: Dataset, holding: dict[int, Tensor]) -> None:
    """Not recognised, called noise, and no nearer to the class than to others."""
    known = truth.reveal(digits, holding, 3, 5, seed=0)
    loot = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = targets.in_one_round(judge_model, known, loot)
    assert found["recognised"] == 0
    assert found["noise_share"] == 1
    assert found["nn_rmse"] >= found["nn_rmse_other"]
