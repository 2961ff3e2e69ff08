"""A malicious server: wraps any strategy of Flower's, looks at every update and, when active, isolates its victim.

Zhibo Wang, Mengkai Song, Zhifei Zhang, Yang Song, Qian Wang, Hairong Qi: Beyond Inferring Class Representatives:
User-Level Privacy Leakage From Federated Learning (INFOCOM 2019, arXiv:1812.00535), sections IV-B, V-C and V-D.

The inner strategy decides whom to ask and how to aggregate; an attack (attacks.views.ServerAttack) only looks on. A
passive one leaves every message and every reply as it is, so that the global model is that of an honest server, bit for
bit. An active one keeps its victim's reply out of the global model and may send it another model than the others; that
reply counts for federation.min_replies all the same. It stands inside `Recording`, which hands it usable replies
in the order of the participants' ids.

Difference from the paper: the attack works between the rounds, while the participants wait; how long is on record.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Strategy
from torch import Tensor, nn

from attacks.views import ServerAttack, ServerView
from strategies.delegating import Delegating
from strategies.recording import TooFewReplies
from strategies.roll_call import RollCall
from task.facts import Images
from task.seeding import generator
from task.settings import SettingsError, expect

log = logging.getLogger("oleander.server")


@dataclass(frozen=True, kw_only=True)
class Loot:
    """What a server's attack has to show after a round; see attacks.views.ServerAttack for each part."""

    samples: Images
    other: Images
    not_owned: Images
    representatives: Mapping[int, Images]


@dataclass(kw_only=True)
class Watch:
    """One round: what each client was sent, who is isolated, the attack's seconds, its warnings and its failures."""

    number: int
    arrays: ArrayRecord
    accuracy: float
    sent: dict[int, ArrayRecord] = field(default_factory=dict)
    read: dict[int, tuple[ArrayRecord, dict[str, Tensor]]] = field(default_factory=dict)
    isolated: tuple[int, ...] = ()
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Malicious(Delegating):
    """Delegates to `inner`; see the module's text.

    Args:
        inner: any strategy of Flower's that sends each client one record of arrays.
        attack: what looks on.
        victim: the client that the attack is after; None where it is after no one client.
        roll_call: which node is which participant.
        rounds: of the federation.
        seed: of everything that the attack draws.
        frozen: makes a model in evaluation mode, on the server's device, of weights by name.
        auxiliary: the server's own data.
        loot_every: the loot is kept in every so many rounds, and in the last.
        loot_images: images kept then for each category.
        note: called after each round with its line of attack.jsonl.
        keep: called with the round and its loot.
        published: returns what participants have published, for an attack that reads it; see ServerView.

    """

    def __init__(
        self,
        inner: Strategy,
        *,
        attack: ServerAttack,
        victim: int | None,
        roll_call: RollCall,
        rounds: int,
        seed: int,
        frozen: Callable[[Mapping[str, Tensor]], nn.Module],
        auxiliary: Images,
        loot_every: int,
        loot_images: int,
        note: Callable[[dict[str, Any]], None],
        keep: Callable[[int, Loot], None],
        published: Callable[[], Mapping[int, Images]] = dict,
    ) -> None:
        super().__init__(inner)
        self.attack, self.victim, self.roll_call = attack, victim, roll_call
        self.rounds, self.seed, self.frozen, self.auxiliary = rounds, seed, frozen, auxiliary
        self.loot_every, self.loot_images, self.note, self.keep = loot_every, loot_images, note, keep
        self.published = published
        self._watch = Watch(number=0, arrays=ArrayRecord(), accuracy=0.0)
        self._victim_seen = False

    def line(self) -> dict[str, Any]:
        """Return what the attack adds to the round's line of rounds.jsonl."""
        watch = self._watch
        line: dict[str, Any] = {"attack_seconds": round(watch.seconds, 4), "isolated": list(watch.isolated)}
        return line | ({"attack_failures": watch.failures} if watch.failures else {})

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """Let the inner strategy make its messages; replace the model in those that the attack wants changed."""
        messages = list(self.inner.configure_train(server_round, arrays, config, grid))
        self._watch = Watch(number=server_round, arrays=arrays, accuracy=float(str(config["accuracy"])))
        with self._attacking():
            self._watch.isolated = tuple(sorted(self.attack.isolated))
        nodes = self.roll_call.nodes
        by_client = {nodes[message.metadata.dst_node_id].client: message for message in messages}
        for client, message in sorted(by_client.items()):  # Flower's own order is random
            with self._attacking():
                self._replace(message, client)
            self._watch.sent[client] = _arrays(message)[1]
        return messages

    def aggregate_train(
        self, server_round: int, replies: Iterable[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        """Aggregate the replies of all who are not isolated, then let the attack look at those of all.

        Raises:
            TooFewReplies: if only isolated clients have replied.

        """
        by_client = {self.roll_call.nodes[reply.metadata.src_node_id].client: reply for reply in replies}
        others = [reply for client, reply in by_client.items() if client not in self._watch.isolated]
        if not others:
            raise TooFewReplies(
                f"Expected a usable reply of a client that the server does not isolate in round {server_round}, got "
                f"those of {sorted(by_client)} alone. Mend the other clients, or let the server's attack be passive."
            )
        updates: dict[int, dict[str, Tensor]] = {}
        with self._attacking():  # before the inner strategy may do with the replies as it likes
            updates = {client: self._update(client, reply) for client, reply in sorted(by_client.items())}
        arrays, metrics = self.inner.aggregate_train(server_round, others)
        with self._attacking():
            self._look(self._watch.arrays if arrays is None else arrays, updates)
        with self._attacking():
            if server_round % self.loot_every == 0 or server_round == self.rounds:
                self.keep(server_round, self._loot())
        self.note(self._line())
        return arrays, metrics

    def _replace(self, message: Message, client: int) -> None:
        """Put the model that the attack wants a client to have into its message; leave the message if it wants none."""
        key, record = _arrays(message)
        weights = self._weights(record)
        wanted = self.attack.outgoing(client, weights)
        if wanted is weights:
            return
        expected, got = _shapes(weights), _shapes(wanted)
        remedy = "Mend the attack's `outgoing`."
        expect(got == expected, f"a model {expected} for client {client}", got, remedy)
        broken = [name for name, tensor in wanted.items() if not tensor.isfinite().all()]
        expect(not broken, f"finite weights for client {client}", broken, remedy)
        # The other messages share the content, so that this one gets one of its own.
        message.content = RecordDict({**dict(message.content.items()), key: ArrayRecord(dict(wanted))})

    def _update(self, client: int, reply: Message) -> dict[str, Tensor]:
        """Return what a client has sent minus what it was sent, float32 by name, on the CPU."""
        before, after = self._weights(self._watch.sent[client]), _arrays(reply)[1].to_torch_state_dict()
        return {name: after[name] - before[name] for name in before}

    def _weights(self, record: ArrayRecord) -> dict[str, Tensor]:
        """Return what is in a record that was sent; read once, though a thousand clients were sent it."""
        found = self._watch.read
        if id(record) not in found:
            found[id(record)] = record, dict(record.to_torch_state_dict())  # the record is kept: its id stays its own
        return found[id(record)][1]

    def _look(self, aggregate: ArrayRecord, updates: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Show the round to the attack; a victim that is not in it is on record."""
        watch = self._watch
        self._victim_seen = self._victim_seen or self.victim in updates
        if self.victim is not None and self.victim not in updates:
            what = "did not reply" if self.victim in watch.sent else "was not asked"
            never = "" if self._victim_seen else "; nothing has come from it yet"
            watch.warnings.append(f"the victim, client {self.victim}, {what} in this round{never}")
        view = ServerView(
            round=watch.number,
            last=watch.number == self.rounds,
            global_model=self.frozen(watch.arrays.to_torch_state_dict()),
            aggregate=self.frozen(aggregate.to_torch_state_dict()),
            updates=updates,
            accuracy=watch.accuracy,
            auxiliary=self.auxiliary,
            published=self.published(),
        )
        self.attack.observe(view, self._randomness("attack"))

    def _loot(self) -> Loot:
        """Ask the attack for what it has."""
        count, attack = self.loot_images, self.attack
        return Loot(
            samples=attack.loot(count, self._randomness("loot")),
            other=attack.control(count, self._randomness("control")),
            not_owned=attack.not_owned(count, self._randomness("not owned")),
            representatives=attack.representatives(),
        )

    def _line(self) -> dict[str, Any]:
        """Return the round's line of attack.jsonl."""
        watch, metrics = self._watch, {}
        with self._attacking():
            metrics = self.attack.metrics()
        return {
            "round": watch.number,
            "started": self.attack.started,
            "accuracy": watch.accuracy,
            "seconds": round(watch.seconds, 4),
            "warnings": [*watch.warnings, *watch.failures],
            **metrics,
        }

    def _randomness(self, purpose: str) -> torch.Generator:
        """Return a generator of the round's own."""
        return generator(self.seed, "server", purpose, self._watch.number)

    @contextlib.contextmanager
    def _attacking(self) -> Iterator[None]:
        """Count the attack's seconds. If it fails, put that on record: the federation goes on without it.

        On the CPU it gets one thread: the same loot on every machine, and cores that are busy elsewhere cost it little.
        """
        began, threads = time.monotonic(), torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        except SettingsError as error:
            log.warning("The server's attack could not go on in round %d: %s", self._watch.number, error)
            self._watch.failures.append(f"the attack failed: {error}")
        except Exception as error:
            log.exception("The server's attack failed in round %d; the federation goes on.", self._watch.number)
            self._watch.failures.append(f"the attack failed: {type(error).__name__}: {error}")
        finally:
            torch.set_num_threads(threads)
            self._watch.seconds += time.monotonic() - began


def _arrays(message: Message) -> tuple[str, ArrayRecord]:
    """Return the one record of arrays in a message, and its key."""
    (item,) = message.content.array_records.items()
    return item


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[Any, ...]]:
    """Return names, types and shapes of weights."""
    return {name: (str(tensor.dtype), *tensor.shape) for name, tensor in weights.items()}
