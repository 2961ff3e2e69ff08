"""mGAN-AI: a malicious server learns what one chosen client's images look like.

Zhibo Wang, Mengkai Song, Zhifei Zhang, Yang Song, Qian Wang, Hairong Qi: Beyond Inferring Class Representatives:
User-Level Privacy Leakage From Federated Learning (2019), sections IV and V.

Each round the server takes the victim's own model (what it was sent plus its update) as the body of a discriminator
with three heads: category, real or fake (against the auxiliary images), and identity: the victim's representatives,
estimated from its update (eq. 6 to 8), against those of the other clients. A generator that is told a category and an
identity learns from all three (eq. 4). Passive: the federation sees nothing of it. Active: the victim alone is sent an
isolated model, the discriminator's own; what comes back is the victim's alone, so there is no identity head. Of the
repaired recipe's active attack only half is left, see 4.

`recipe: paper` is that. `recipe: repaired` sets the options of attacks.mgan_options.REPAIRED, each of which can be set
by itself; `benchmarks/mgan_ai.py` measures variants without one of them.

Differences from the paper:
1. Signs: eq. 4 as it is usually meant (D minimises both cross-entropies, G the non-saturating ones).
2. What the paper leaves open: 25 generator steps a round, before each min(1 + t // 10, 5) discriminator steps; batch
   64, half real and half fake; conditions enter one-hot; z ~ N(0, 1); LeakyReLU 0.2; labels of representatives from
   the update (attacks.representatives). A category without auxiliary images is left out.
3. `update_match` (repaired), ours: images drawn as the victim's must also explain what it sent. One step of gradient
   descent on a batch of them, each category weighted as the update weighs it, must point where the update points
   (attacks.update_match): eq. 6 asked of the generator rather than of ten free images.
4. `isolate_on: aggregate` (repaired): the victim's updates stay out of the global model, and that model, which is the
   others', is what the victim is sent like everybody else. It is not isolated as in section V-D, where its model learns
   from it alone: that one soon fits it so well that its updates say little. Nobody could notice it by comparing models.
5. `judges: own` (repaired): real or fake, and identity, are judged by networks of their own, which persist; the
   category is read from the victim's model, untouched.
6. `turned` (scenarios of turned digits): auxiliary images are turned at random by up to so many degrees. That flatters
   the attack: the server guesses the family of what is private. `turn_match` (repaired): turns that explain
   the victim's update best are drawn most, by the same measure as in 3.
7. `blurred`, `shift`, `representative_noise`, `match` (repaired): the identity head sees blurred, standardised, moved
   images, and compares the victim's categories with the same categories of others; otherwise contrast and category give
   it away.
8. `owned_only` (repaired): only the categories that the victim owns, as its update gives them away.
9. `warm_start`, `representatives_every` (repaired): representatives go on from the last ones, every fourth round.
10. `critic: projection`, `diversity` (and with it pairs of codes), `average`, `input_noise`, `condition_scale`, other
   steps and rates (repaired) and a late start are ours.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from attacks import conditional, representatives
from attacks.mgan_batches import Batches
from attacks.mgan_options import RECIPES, Options
from attacks.mgan_training import Networks
from attacks.update_match import Sent
from attacks.views import ServerView
from task.facts import Images, TaskFacts
from task.models import weights
from task.settings import expect

__all__ = ["RECIPES", "VIEW", "MganAi", "Options", "build"]

VIEW = ServerView
STOP_ROUNDS, LABELS, RARE, WATCHED = 3, 1000, 0.15, 100


def build(options: Options, facts: TaskFacts, generator: torch.Generator) -> "MganAi":
    """Return the attack before its first round.

    Raises:
        SettingsError: for a victim that does not exist, or alone.

    """
    expect(options.victim < facts.clients, f"a victim from 0 to {facts.clients - 1}", options.victim)
    expect(facts.clients > 1, "two clients or more (Algorithm 1)", facts.clients)
    return MganAi(options, facts, generator)


def owned(counts: Tensor) -> list[int]:
    """Return the categories that are named often, of labels' counts [categories]: at least 15 % of the commonest."""
    return torch.nonzero(counts >= RARE * counts.max()).flatten().tolist()


class MganAi:
    """What the server knows and remembers; see attacks.views.ServerAttack.

    Args:
        options, facts: see their classes.
        generator: the first weights are drawn from it; nothing else happens.
        estimate: how updates become representatives; an oracle in its place gives an upper bound.

    """

    def __init__(
        self,
        options: Options,
        facts: TaskFacts,
        generator: torch.Generator,
        estimate: Callable[..., dict[int, Images]] = representatives.estimate,
    ) -> None:
        self.options, self.facts, self.estimate = options, facts, estimate
        self.networks = Networks(options, facts, generator)
        self.isolated_model: dict[str, Tensor] = {}
        self.sent: dict[str, Tensor] = {}
        self.update: dict[str, Tensor] = {}
        self.seen = torch.zeros(facts.outputs, dtype=torch.int64)
        self.learnt: list[int] = []
        self.estimates: dict[int, Images] = {}
        self.rounds, self.content, self.represented, self.identified = 0, 0, 0, 0
        self._metrics: dict[str, float] = {}

    @property
    def started(self) -> bool:
        """Whether the generator has begun to learn."""
        return self.rounds > 0

    @property
    def isolated(self) -> tuple[int, ...]:
        """The victim, while an active attack runs."""
        alone = self.options.mode == "active" and (bool(self.isolated_model) or self.options.start_round == 1)
        return (self.options.victim,) if alone else ()

    @property
    def _identifies(self) -> bool:
        """Whether there is an identity head."""
        identify = self.options.identify
        return self.options.mode == "passive" if identify is None else identify

    def outgoing(self, client: int, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Send an isolated victim its own model (at first the global one), and nothing new to anybody else."""
        return self.isolated_model if client in self.isolated and self.isolated_model else weights

    def observe(self, view: ServerView, generator: torch.Generator) -> None:
        """Train the GAN on what a round's updates give away.

        Args:
            view: the round; without the victim's reply the attack goes on with what it has.
            generator: all randomness of the round.

        """
        options = self.options
        update = self._arrived(view)
        if options.mode == "active" and not self.isolated:
            if self._begins(view.round + 1, view.accuracy):
                self.isolated_model = weights(view.aggregate)
            return
        if not (self.started or self.isolated or self._begins(view.round, view.accuracy)):
            return
        if update is not None:
            self.sent, self.update = self.isolated_model or weights(view.global_model), dict(update)
        if not self.update:
            return
        if self._identifies:
            self._represent(view, generator)
        if self.content < STOP_ROUNDS:
            self._train(view, generator, own=update is None and bool(self.isolated_model))
        if options.mode == "active":
            own = self.networks.shared if self.content < STOP_ROUNDS else self.networks.frozen(self._leaning())
            self.isolated_model = weights(own if options.isolate_on == "own" else view.aggregate)

    def _arrived(self, view: ServerView) -> Mapping[str, Tensor] | None:
        """Return the victim's update, its labels counted; None without one, or for a model that came back untouched."""
        update = view.updates.get(self.options.victim)
        if update is None or not any(bool(part.any()) for part in update.values()):
            return None
        labels = representatives.labels(update, LABELS)
        self.seen = self.seen + torch.bincount(labels, minlength=len(self.seen))
        return update

    def _leaning(self) -> dict[str, Tensor]:
        """Return the victim's own model, as it last came."""
        return {name: tensor + self.update[name] for name, tensor in self.sent.items()}

    def _train(self, view: ServerView, generator: torch.Generator, *, own: bool) -> None:
        """Train the GAN for a round.

        Args:
            view: the round.
            generator: all randomness.
            own: whether the discriminator's body stays what it is, since the victim did not reply to it.

        """
        device, known = next(view.global_model.parameters()).device, set(view.auxiliary.labels.tolist())
        categories = [one for one in self._categories() if one in known]
        batches = Batches(self.options, categories, view.auxiliary, self._pools(), generator=generator, device=device)
        shares = self.seen[: self.facts.classes].double()
        sent = Sent(self.networks.frozen(self.sent).to(device), self.update, shares / shares.sum())
        turns = batches.weigh(sent) if self.options.turned and self.options.turn_match else {}
        leaning = self.isolated_model if own else self._leaning()
        self._metrics = self.networks.train(leaning, sent, batches, view.round)
        broken = [name for name, loss in self._metrics.items() if not math.isfinite(loss)]
        expect(not broken, "finite losses of the attack's own networks", broken, "Lower lr or discriminator_lr.")
        self._metrics |= turns
        self.rounds, self.learnt = self.rounds + 1, categories
        self.identified += batches.pools is not None and self.options.identity_condition == "both"
        self._watch(view.aggregate, generator)

    def _begins(self, number: int, accuracy: float) -> bool:
        """Return whether the attack is to begin in a round."""
        by_accuracy = self.options.start_accuracy is not None and accuracy >= self.options.start_accuracy
        return by_accuracy or (self.options.start_round is not None and number >= self.options.start_round)

    def _represent(self, view: ServerView, generator: torch.Generator) -> None:
        """Estimate representatives of everybody who replied, where that is due; each at the model that it was sent."""
        options, victim = self.options, self.options.victim
        due = not self.represented or view.round >= self.represented + options.representatives_every
        if victim not in view.updates or not due:
            return
        self.represented = view.round
        groups = [(view.global_model, view.updates)]
        if self.isolated_model:
            apart = self.networks.frozen(self.isolated_model).to(next(view.global_model.parameters()).device)
            others = {client: update for client, update in view.updates.items() if client != victim}
            groups = [(apart, {victim: view.updates[victim]}), (view.global_model, others)]
        shape, settings = self.facts.shape, options.representatives
        start = self.estimates if options.warm_start else None
        found: dict[int, Images] = {}
        for model, updates in groups:
            found |= self.estimate(model, updates, shape, settings, generator, start=start)
        self.estimates = {**self.estimates, **found}

    def _pools(self) -> tuple[Images, Images] | None:
        """Return the victim's representatives and the others', as far as there are both."""
        victim = self.estimates.get(self.options.victim)
        others = [found for client, found in self.estimates.items() if client != self.options.victim]
        if victim is None or not others:
            return None
        images = torch.cat([one.images for one in others])
        return victim, Images(images, torch.cat([one.labels for one in others]))

    @torch.no_grad()
    def _watch(self, model: nn.Module, generator: torch.Generator) -> None:
        """Note the share of samples that the shared model assigns to their category, and whether it suffices (V-C)."""
        samples = self._make(self.learnt, max(1, WATCHED // len(self.learnt)), 1.0, generator)
        answers = model(samples.images.to(next(model.parameters()).device)).argmax(1).cpu()
        share = (answers == samples.labels).double().mean().item()
        enough = self.options.stop_accuracy is not None and share >= self.options.stop_accuracy
        self.content = self.content + 1 if enough else 0
        self._metrics["shared_model_agrees"] = share

    def _categories(self) -> list[int]:
        """Return the categories that the generator learns: all, or those that the victim's updates name often."""
        counts = self.seen[: self.facts.classes]
        return owned(counts) if self.options.owned_only else list(range(self.facts.classes))

    @torch.no_grad()
    def _make(self, categories: list[int], count: int, identity: float, generator: torch.Generator) -> Images:
        """Return `count` images of each category with this identity."""
        labels = torch.tensor(categories, dtype=torch.int64).repeat_interleave(count)
        noise = conditional.noise(self.options.network, len(labels), generator)
        chosen = self.networks.averaged if self.options.average else self.networks.generator
        return Images(chosen.eval()(noise, labels, torch.full((len(labels),), identity)), labels)

    def loot(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` images of each category that was learnt as the victim's; none before the start."""
        return self._make(self.learnt, count, 1.0, generator) if self.started else self._nothing()

    def control(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` images of each category as anybody else's; none unless the generator learnt that identity."""
        return self._make(self.learnt, count, 0.0, generator) if self.identified else self._nothing()

    def not_owned(self, count: int, generator: torch.Generator) -> Images:
        """Return `count` images of each category that the victim seems not to own (Fig. 5); none before the start."""
        others = sorted(set(range(self.facts.classes)) - set(self.learnt))
        return self._make(others, count, 1.0, generator) if self.started and others else self._nothing()

    def representatives(self) -> Mapping[int, Images]:
        """Return the latest representatives by client; none without an identity head."""
        return self.estimates

    def metrics(self) -> dict[str, float]:
        """Return the last losses in nats, the share of samples that the shared model agrees with, and of turns.

        The latter by attacks.mgan_batches.TURN and the degrees: the turns for which the victim's update speaks.
        """
        return dict(self._metrics)

    def _nothing(self) -> Images:
        return Images(torch.empty(0, *self.facts.shape), torch.empty(0, dtype=torch.int64))

    def state_dict(self) -> dict[str, Tensor]:
        """Return networks, optimizers, models and representatives by name."""
        state = {f"networks.{name}": tensor for name, tensor in self.networks.state_dict().items()}
        counts = [self.rounds, self.content, self.represented, self.identified]
        state |= {"counts": torch.tensor(counts), "seen": self.seen, "learnt": torch.tensor(self.learnt)}
        for part, model in (("isolated_model", self.isolated_model), ("sent", self.sent), ("update", self.update)):
            state |= {f"{part}.{name}": tensor for name, tensor in model.items()}
        for client, found in self.estimates.items():
            state[f"images.{client}"], state[f"labels.{client}"] = found.images, found.labels
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` returned."""

        def under(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)}

        self.networks.load_state_dict(under("networks."))
        self.rounds, self.content, self.represented, self.identified = state["counts"].tolist()
        self.seen, self.learnt = state["seen"], state["learnt"].long().tolist()
        self.isolated_model, self.sent, self.update = under("isolated_model."), under("sent."), under("update.")
        found = under("images.")
        self.estimates = {int(client): Images(found[client], state[f"labels.{client}"]) for client in found}
