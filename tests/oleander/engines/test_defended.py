"""A defended participant between real processes, and in the simulation."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from client_app import defended, honest
from client_app.participant import read
from client_app.update import Received
from oleander import engines
from oleander.engines import Job
from oleander.engines.inline.nodes import FIRST, Nodes
from oleander.rundir import RunDirectory

DEFENDED = (
    "clients=[{ids: [1], role: defended, defense: anti-gan, options: {network: small, steps: 10, batch_size: 20}}]",
    "clients.0.options.mixing_ratio=0.25",
    "task.outputs=10",
    "task.partition.exclude=[]",
)
UNDEFENDED = ("clients=[]", *DEFENDED[2:])


def test_a_defended_participant_publishes_look_alikes_on_both_engines(make_job: Callable[..., Job]) -> None:
    """Fitted once in two rounds, in its own process, of which its own log tells; the weights are the same on both.

    Its forty images become 32 look-alikes and eight real ones; its model is another than without the defence.
    """
    finals = []
    for engine, overrides in (("grpc", DEFENDED), ("ray", DEFENDED), ("inline", UNDEFENDED)):
        job = make_job(2, 2, *overrides)
        engines.run(engine, job)
        assert [line["failures"] for line in job.run.rounds()] == [[], []]
        finals.append((job.run.path / "global" / "final.safetensors").read_bytes())
        folder = job.run.path / "published" / "client-1"
        if overrides == UNDEFENDED:
            assert not folder.exists()
            continue
        with np.load(folder / "published.npz") as arrays:
            assert arrays["images"].shape == (40, 1, 8, 8)
            assert arrays["genuine"].sum() == 8
        (fit,) = (json.loads(line) for line in (folder / "fit.jsonl").read_text(encoding="utf-8").splitlines())
        assert fit["round"] == 1
        assert [node["role"] for node in job.run.environment()["nodes"]] == ["honest", "defended"]
        if engine == "grpc":
            said = [(job.run.logs / f"client-{client:02d}.log").read_text(encoding="utf-8") for client in (0, 1)]
            assert ["anti-gan of participant 1: step 10 of 10" in text for text in said] == [False, True]
    assert finals[0] == finals[1] != finals[2]


def test_a_fit_that_fails_costs_that_participant_alone(make_job: Callable[..., Job], tmp_path: Path) -> None:
    """At MR 0 nothing published is real; a fit whose loss is not finite is on record, and no update of it is used.

    The model after the first round is the mean of what the other two send, worked out in this process.
    """
    entry = "{{ids: [{}], role: defended, defense: anti-gan, options: {{network: small, batch_size: 20, {}}}}}"
    both = entry.format(1, "steps: 10, mixing_ratio: 0"), entry.format(2, "steps: 30, lr: 1.0e+30")
    job = make_job(3, 2, f"clients=[{', '.join(both)}]", "federation.keep_global=[0, 1]", *UNDEFENDED[1:])
    engines.run("grpc", job)
    assert [line["clients"] for line in job.run.rounds()] == [[0, 1], [0, 1]]
    failures = [failure for line in job.run.rounds() for failure in line["failures"]]
    assert [failure["client"] for failure in failures] == [2, 2]
    assert all("finite" in failure["reason"] for failure in failures)

    published = job.run.published()
    assert list(published) == [1]
    images, _, genuine = published[1]
    grid = Nodes(job.scenario, RunDirectory.create(job.scenario, tmp_path / "again"))
    contexts = [grid.contexts[FIRST + client] for client in (0, 1)]
    who = [read(context) for context in contexts]
    real = {image.numpy().tobytes() for image in who[1].held().images}
    assert len(images) == len(real) == 40
    assert not genuine.any()
    assert not any(image.numpy().tobytes() in real for image in images)

    start, after = job.run.global_model(0), job.run.global_model(1)
    assert start is not None
    assert after is not None
    received = Received(round=1, accuracy=0.0, proximal_mu=0.0, weights=start)
    sent = [honest.train(who[0], received, contexts[0]), defended.train(who[1], received, contexts[1])]
    for name, tensor in after.items():
        torch.testing.assert_close(tensor, (sent[0].weights[name] + sent[1].weights[name]) / 2)


def test_noise_for_privacy_is_the_same_between_processes_and_in_one(make_job: Callable[..., Job]) -> None:
    """Central noise, clipping that the server asks for and a participant's own noise: the same weights on both."""
    overrides = (
        "server.privacy=client-side-adaptive-clipping",
        "server.privacy_options={noise_multiplier: 0.05, initial_clipping_norm: 1.0}",
        "clients=[{ids: [1], role: defended, defense: local-dp, options: {norm: 1, epsilon: 300}}]",
        *UNDEFENDED[1:],
    )
    finals = []
    for engine in ("grpc", "inline"):
        job = make_job(2, 2, *overrides)
        engines.run(engine, job)
        assert [line["failures"] for line in job.run.rounds()] == [[], []]
        finals.append((job.run.path / "global" / "final.safetensors").read_bytes())
    assert finals[0] == finals[1]
