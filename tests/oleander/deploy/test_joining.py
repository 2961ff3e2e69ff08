"""A participant's host."""

import pytest

from oleander import scenario
from oleander.deploy.joining import Seat, _devices
from task.settings import SettingsError


def seat(device: str, *settings: str) -> Seat:
    """Return the seat of three clients on one host."""
    chosen = scenario.load("gan-attack-digits", settings)
    return Seat(scenario=chosen, clients=(1, 2, 4), server="h:1", certificates=None, data=None, device=device)


@pytest.mark.parametrize(
    ("visible", "device", "found"),
    [
        ("3,5,7,9", "auto", ["3", "5", "7"]),
        ("3,5", "auto", ["3", "5", "3"]),
        ("3,5", "cuda:5", ["5", "5", "5"]),
        ("3,5", "cpu", [None, None, None]),
        ("", "auto", [None, None, None]),
    ],
)
def test_the_clients_of_a_host_share_its_gpus(
    monkeypatch: pytest.MonkeyPatch, visible: str, device: str, found: list[str | None]
) -> None:
    """One each where there are enough, in turn where not; all have the one that is asked for."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert _devices(seat(device)) == found


def test_a_scenario_for_the_cpu_and_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario of this host is obeyed unless a GPU is named; one that it does not have is refused."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert _devices(seat("auto", "federation.devices=cpu")) == [None, None, None]
    assert _devices(seat("cuda:3", "federation.devices=cpu")) == ["3", "3", "3"]
    with pytest.raises(SettingsError, match=r"a GPU of this host \(one of \['3'\], as cuda:N\), got 'cuda:0'"):
        _devices(seat("cuda:0"))
