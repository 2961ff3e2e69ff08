"""A malicious server between real processes: nobody can tell a passive one from the model that it makes."""

from collections.abc import Callable

import pytest

from oleander import engines
from oleander.engines import Job
from oleander.rundir import RunDirectory
from oleander.sections import ENGINES

HONEST = ("clients=[]", "task.outputs=10", "task.partition.exclude=[]")
PASSIVE = (
    *HONEST,
    "server.attack=mgan-ai",
    "server.attack_options={victim: 1, recipe: repaired, network: small, steps: 2, discriminator_steps: 1}",
    "server.attack_options.representatives={images: 3, iterations: 2}",
    "server.loot_images=2",
)


@pytest.fixture(scope="module")
def honest(make_job: Callable[..., Job]) -> RunDirectory:
    """Run three clients for three rounds under an honest server."""
    job = make_job(3, 3, *HONEST)
    engines.run("grpc", job)
    return job.run


def final(run: RunDirectory) -> bytes:
    """Return the final weights' file."""
    return (run.path / "global" / "final.safetensors").read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_passive_attack_leaves_the_honest_run_s_model(
    engine: str, honest: RunDirectory, make_job: Callable[..., Job]
) -> None:
    """The same bytes on disk, while the loot of every round lies beside them."""
    job = make_job(3, 3, *PASSIVE)
    engines.run(engine, job)
    assert final(job.run) == final(honest)
    assert [line["started"] for line in job.run.attack_log("server")] == [True] * 3
    assert [line["warnings"] for line in job.run.attack_log("server")] == [[]] * 3
    assert set(job.run.loot()["server"]) == {1, 2, 3}
    assert all(0 < line["attack_seconds"] < line["seconds"] for line in job.run.rounds())
