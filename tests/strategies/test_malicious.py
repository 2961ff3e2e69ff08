"""The malicious server's strategy: what a passive one leaves alone, what an active one changes, what goes on record."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, Message
from flwr.serverapp.strategy import Strategy
from messages import KnownGrid, failed, known_roll_call, reply_from, take_identity
from server_attacks import Options, ToyAttack
from torch import Tensor, nn

from strategies import named, private
from strategies.malicious import Loot, Malicious
from strategies.recording import Recording, TooFewReplies
from task.facts import Images, TaskFacts
from task.seeding import generator
from task.training import Evaluation

FACTS = TaskFacts(shape=(1, 2, 2), classes=3, outputs=3, model="none", clients=3)
START = np.array([0.5, -2.0], dtype=np.float32)
ROUNDS = 4


@pytest.fixture(autouse=True)
def identity() -> None:
    """Give messages the identity that a running Flower app has."""
    take_identity()


def frozen(weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a model with the parameter w."""
    model = nn.Module()
    model.register_parameter("w", nn.Parameter(weights["w"], requires_grad=False))
    return model.eval()


class Spy(ToyAttack):
    """The toy attack with a way to make `outgoing` go wrong."""

    bad: Mapping[str, Tensor] | None = None

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return something that is no model of the federation, if asked to."""
        return super().outgoing(client, weights) if self.bad is None else self.bad


class Federation:
    """Recording(Malicious(a strategy of Flower's)) over clients whose replies the test makes."""

    def __init__(
        self, clients: int = 3, name: str = "fedavg", loot_every: int = 1, wrapper: str | None = None, **options: Any
    ) -> None:
        """Prepare round 1; without options the server is honest; with a wrapper it adds noise of 0.5 / n."""
        self.roll_call = known_roll_call(clients)
        self.lines: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []
        self.loot: dict[int, Loot] = {}
        self.arrays = ArrayRecord({"w": Array(START)})
        inner: Strategy = named.build(name, {"proximal_mu": 1.0} if name == "fedprox" else {})
        if wrapper is not None:
            norm = "initial_clipping_norm" if "adaptive" in wrapper else "clipping_norm"
            inner = private.wrap(inner, wrapper, {"noise_multiplier": 0.25, norm: 2.0}, clients=clients, seed=0)
        self.malicious: Malicious | None = None
        if options:
            self.attack = Spy(Options(**options), FACTS, generator(0, "toy"))
            inner = self.malicious = Malicious(
                inner,
                attack=self.attack,
                victim=options["victim"],
                roll_call=self.roll_call,
                rounds=ROUNDS,
                seed=0,
                frozen=frozen,
                auxiliary=Images(torch.zeros(1, 1, 2, 2), torch.zeros(1, dtype=torch.int64)),
                loot_every=loot_every,
                loot_images=2,
                note=self.notes.append,
                keep=self.loot.__setitem__,
            )
        self.strategy = Recording(
            inner,
            roll_call=self.roll_call,
            weighting="uniform",
            fraction=1.0,
            seed=0,
            min_replies=1,
            timeout=5,
            evaluate=lambda _: Evaluation(0.5, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
            record=lambda line, _: self.lines.append(line | (self.malicious.line() if self.malicious else {})),
            reported=private.REPORTED.get(wrapper or "", ()),
        )
        self.number = 0

    def messages(self) -> list[Message]:
        """Begin a round; return what is sent, in the order of the clients."""
        self.number += 1
        grid: Any = KnownGrid(list(self.roll_call.nodes))
        sent = self.strategy.configure_train(self.number, self.arrays, ConfigRecord(), grid)
        return sorted(sent, key=lambda message: message.metadata.dst_node_id)

    def end(self, replies: list[Message]) -> np.ndarray:
        """End the round with these replies; return the new global array."""
        arrays, _ = self.strategy.aggregate_train(self.number, replies)
        assert arrays is not None
        self.arrays = arrays
        self.strategy.after_round(self.number, arrays)
        return arrays["w"].numpy()

    def round(self, replies: list[Message]) -> np.ndarray:
        """Run one round."""
        self.messages()
        return self.end(replies)


def test_a_passive_server_sends_what_the_inner_strategy_made() -> None:
    """The same message objects with the same content objects."""
    federation = Federation(victim=1)
    assert federation.malicious is not None
    made: list[tuple[Message, Any]] = []
    inner = federation.malicious.inner
    configure = inner.configure_train

    def spy(*arguments: Any) -> list[Message]:
        messages = list(configure(*arguments))
        made.extend((message, message.content) for message in messages)
        return messages

    inner.configure_train = spy  # type: ignore[method-assign]  # to see what passes between the two
    sent = federation.messages()
    assert {id(message) for message in sent} == {id(message) for message, _ in made}
    assert all(message.content is content for message, content in made)


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "fedadam", "fedmedian"])
def test_a_passive_server_makes_the_honest_model_to_the_last_bit(name: str) -> None:
    """Three rounds of updates whose sum depends on the order and on every bit, under each strategy of Flower's."""
    values = [np.array([1e8, 0.1], np.float32), np.array([1, 0.7], np.float32), np.array([-1e8, 1 / 3], np.float32)]
    honest, watched = Federation(name=name), Federation(name=name, victim=1)
    for number in range(3):
        replies = [[reply_from(client, {"w": value + number}) for client, value in enumerate(values)] for _ in "ab"]
        results = [one.round(given) for one, given in zip((honest, watched), replies, strict=True)]
        assert results[0].tobytes() == results[1].tobytes()
    assert len(watched.attack.views) == 3


@pytest.mark.parametrize("wrapper", sorted(private.WRAPPERS))
def test_a_passive_server_leaves_central_noise_as_it_is(wrapper: str) -> None:
    """The noisy model is that of the honest server to the last bit, in three rounds; what is watched is not clipped."""
    honest, watched = Federation(wrapper=wrapper), Federation(wrapper=wrapper, victim=1)
    for number in range(3):
        replies = [[reply_from(client, norm_bit=1) for client in range(3)] for _ in "ab"]
        results = [one.round(given) for one, given in zip((honest, watched), replies, strict=True)]
        assert results[0].tobytes() == results[1].tobytes()
        assert not np.allclose(results[0], [1.0, 1.0], atol=1e-3), number
    assert watched.attack.views[0].updates[2]["w"].tolist() == [1.5, 3.0]
    assert watched.attack.views[0].aggregate.w.tolist() == watched.attack.views[1].global_model.w.tolist()


def test_an_active_server_s_noise_is_for_those_it_aggregates() -> None:
    """Of three replies one is isolated: the wrapper counts two."""
    federation = Federation(wrapper="server-side-fixed-clipping", victim=1, active=True)
    federation.round([reply_from(client) for client in range(3)])
    assert federation.malicious is not None
    assert federation.malicious.inner.inner.num_sampled_clients == 2  # type: ignore[attr-defined]  # Flower's wrapper


def test_the_view_is_what_the_round_was() -> None:
    """The model before, the model after, each reply minus what was sent; 1 and 3 of [2, 1] and [4, 1] are [1.5, 3]."""
    federation = Federation(victim=1)
    federation.round([reply_from(2), failed(0), reply_from(1)])
    (view,) = federation.attack.views
    assert (view.round, view.last, view.accuracy) == (1, False, 0.0)
    assert view.global_model.w.tolist() == [0.5, -2.0]
    assert view.aggregate.w.tolist() == [1.5, 1.0]
    assert {client: update["w"].tolist() for client, update in view.updates.items()} == {1: [0.5, 3.0], 2: [1.5, 3.0]}
    for _ in range(ROUNDS - 1):
        federation.round([reply_from(0), reply_from(1)])
    assert [one.last for one in federation.attack.views] == [False, False, False, True]
    assert [one.accuracy for one in federation.attack.views] == [0.0, 0.5, 0.5, 0.5]


def test_an_active_server_isolates_its_victim() -> None:
    """Client 1 alone is sent zeros, of the same size on the wire; its reply is watched, and kept from the mean."""
    federation = Federation(victim=1, active=True)
    sent = federation.messages()
    assert [message.content["arrays"]["w"].numpy().tolist() for message in sent] == [[0.5, -2], [0, 0], [0.5, -2]]
    assert len({len(message.content["arrays"]["w"].data) for message in sent}) == 1
    assert sent[1].content["config"] == sent[0].content["config"]
    assert federation.end([reply_from(0), reply_from(1), reply_from(2)]) == pytest.approx([1.0, 1.0])
    (view,) = federation.attack.views
    assert view.updates[1]["w"].tolist() == [1.0, 1.0]
    assert view.updates[2]["w"].tolist() == [1.5, 3.0]
    assert (federation.lines[0]["isolated"], federation.lines[0]["replies"]) == ([1], 3)


def test_nobody_but_the_isolated_is_an_error() -> None:
    """The run ends, and says why and what to do."""
    federation = Federation(victim=1, active=True)
    with pytest.raises(TooFewReplies, match=r"does not isolate in round 1, got those of \[1\] alone\. Mend"):
        federation.round([failed(0), reply_from(1), failed(2)])


def test_a_missing_victim_is_on_record_and_the_attack_goes_on() -> None:
    """Whether it has ever replied, and whether it was asked."""
    federation = Federation(victim=1)
    others = [0, 2]
    federation.round([reply_from(client) for client in others])
    federation.round([reply_from(client) for client in range(3)])
    federation.round([reply_from(client) for client in others] + [failed(1)])
    del federation.roll_call.nodes[101]
    federation.round([reply_from(client) for client in others])
    warnings = [note["warnings"] for note in federation.notes]
    assert warnings == [
        ["the victim, client 1, did not reply in this round; nothing has come from it yet"],
        [],
        ["the victim, client 1, did not reply in this round"],
        ["the victim, client 1, was not asked in this round"],
    ]
    assert [sorted(view.updates) for view in federation.attack.views] == [[0, 2], [0, 1, 2], [0, 2], [0, 2]]
    assert all("attack_failures" not in line for line in federation.lines)


def test_an_attack_that_fails_is_on_record_and_the_federation_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """In its own log, in the round's line and, with the traceback, in the server's log; the next round is as ever."""
    federation = Federation(victim=1, fail_in=(2,))
    for _ in range(3):
        assert federation.round([reply_from(client) for client in range(3)]) == pytest.approx([1.0, 1.0])
    text = "the attack failed: RuntimeError: no memory left"
    assert [note["warnings"] for note in federation.notes] == [[], [text], []]
    assert [line.get("attack_failures") for line in federation.lines] == [None, [text], None]
    assert "Traceback" in caplog.text
    assert len(federation.attack.views) == 3


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ({}, "Expected a model {'w': ('torch.float32', 2)} for client 0, got {}"),
        ({"w": torch.zeros(3)}, "got {'w': ('torch.float32', 3)}"),
        ({"w": torch.zeros(2).double()}, "got {'w': ('torch.float64', 2)}"),
        ({"v": torch.zeros(2)}, "got {'v': ('torch.float32', 2)}"),
        ({"w": torch.tensor([0.0, torch.nan])}, "Expected finite weights for client 0, got ['w']"),
    ],
)
def test_an_attack_that_sends_no_model_is_not_let_through(bad: dict[str, Tensor], text: str) -> None:
    """Clients get the global model; the record says what the attack wanted to send."""
    federation = Federation(victim=1)
    federation.attack.bad = bad
    sent = federation.messages()
    assert [message.content["arrays"]["w"].numpy().tolist() for message in sent] == [[0.5, -2.0]] * 3
    federation.end([reply_from(0)])
    assert len(federation.lines[0]["attack_failures"]) == 3
    assert text in federation.lines[0]["attack_failures"][0]


def test_an_attack_computes_with_one_thread_and_leaves_the_others_to_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that its loot does not depend on the machine; what ran with two threads does so afterwards."""
    seen = []
    monkeypatch.setattr(ToyAttack, "observe", lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Federation(victim=1).round([reply_from(0), reply_from(1)])
        assert (seen, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)


def test_loot_is_kept_every_so_many_rounds_and_in_the_last() -> None:
    """Every third of four rounds, and the fourth: two images of each of three categories."""
    federation = Federation(victim=1, loot_every=3)
    for _ in range(ROUNDS):
        federation.round([reply_from(client) for client in range(3)])
    assert list(federation.loot) == [3, 4]
    loot = federation.loot[4]
    assert loot.samples.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(loot.other.images, -loot.samples.images)
    assert sorted(loot.representatives) == [0, 1, 2]


def test_a_line_says_when_it_began_and_how_long_it_took() -> None:
    """The attack's seconds are a part of the round's; its own metrics stand beside them."""
    federation = Federation(victim=1, start_round=2)
    for _ in range(2):
        federation.round([reply_from(client) for client in range(3)])
    assert [(note["round"], note["started"]) for note in federation.notes] == [(1, False), (2, True)]
    assert federation.notes[1]["total"] == federation.attack.total.item() > 0
    for note, line in zip(federation.notes, federation.lines, strict=True):
        assert 0 < note["seconds"] <= line["attack_seconds"] <= line["seconds"]
