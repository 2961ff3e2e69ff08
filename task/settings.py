"""Settings as frozen dataclasses, and the one place where a mapping (YAML, Flower's run config) is turned into them.

`parse` checks names and types, the classes' own `__post_init__` the values. Every error says what was expected, what
was got and the remedy.
"""

import contextlib
import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class SettingsError(ValueError):
    """A request that cannot be carried out; its text is meant for the person who made it."""


def expect(condition: bool, expected: str, got: object, remedy: str = "") -> None:
    """Raise SettingsError("Expected ..., got .... remedy") unless the condition holds."""
    if not condition:
        raise SettingsError(f"Expected {expected}, got {got!r}. {remedy}".rstrip())


def choose(name: str, known: Collection[str], what: str, remedy: str = "") -> str:
    """Return `name` if it is among `known`; otherwise raise SettingsError with the nearest known name."""
    if name in known:
        return name
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else ""
    listing = ", ".join(sorted(known)) or "none"
    raise SettingsError(" ".join(f"Expected {what} (one of: {listing}), got {name!r}. {hint} {remedy}".split()))


LARGEST_SIDE = 1024
PARTITIONS = ("one-class", "k-classes", "random-classes", "whole-classes", "iid", "dirichlet", "bootstrap")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartitionSettings:
    """Which training images each participant holds.

    Attributes:
        kind: one of PARTITIONS (see task.partitions).
        images: images a holder draws (spread evenly over its classes); None for all there are.
        reserve: images that a holder has beside those, drawn the same way, and never trains on: what a defence compares
            its own records with.
        classes_per_client: for `k-classes` and `random-classes`.
        first_classes: for `whole-classes`: how many of them the first holder has; None for its turn.
        alpha: concentration for `dirichlet`; small is skewed.
        exclude: classes that no participant holds. The server's test set leaves them out too.
        holders: ids of the participants that hold data, in the order in which parts are dealt; None until a scenario
            fills it in with everyone but those who steal.

    """

    kind: str = "iid"
    images: int | None = None
    reserve: int = 0
    classes_per_client: int = 2
    first_classes: int | None = None
    alpha: float = 0.5
    exclude: tuple[int, ...] = ()
    holders: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        choose(self.kind, PARTITIONS, "a kind of partition")
        expect(self.images is None or self.images > 0, "images > 0", self.images)
        expect(self.reserve >= 0, "reserve >= 0", self.reserve)
        expect(self.classes_per_client > 0, "classes_per_client > 0", self.classes_per_client)
        expect(self.first_classes is None or self.first_classes > 0, "first_classes > 0", self.first_classes)
        fits = self.first_classes is None or self.kind == "whole-classes"
        expect(fits, "first_classes with partition.kind whole-classes", self.kind, "Leave it out.")
        if self.kind == "bootstrap":
            expect(self.images is not None, "partition.images with the kind bootstrap", None, "Say how many.")
            expect(
                self.reserve == 0,
                "no partition.reserve with the kind bootstrap, which deals images twice",
                self.reserve,
            )
        expect(self.alpha > 0, "alpha > 0", self.alpha)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """A participant's optimizer.

    Attributes:
        name: `sgd`, `adam` or `rmsprop`.
        lr: learning rate.
        momentum: of SGD and RMSprop.
        betas, eps: of Adam; RMSprop has `eps`, too.
        keep_state: whether its state survives from round to round (else a fresh optimizer every round).

    """

    name: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    keep_state: bool = False

    def __post_init__(self) -> None:
        choose(self.name, ("sgd", "adam", "rmsprop"), "an optimizer")
        expect(0 < self.lr < math.inf, "lr > 0", self.lr)
        expect(self.eps > 0, "eps > 0", self.eps)
        expect(0 <= self.momentum < 1, "0 <= momentum < 1", self.momentum)
        expect(all(0 <= beta < 1 for beta in self.betas), "betas in [0, 1)", self.betas)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrivateSettings:
    """A property that the images of one participant have, and nobody else's (see task.private).

    Attributes:
        kind: `rotated` (its images are turned) or `attribute` (it holds the images that a table marks).
        client: id of the participant.
        degrees: of `rotated`, counter-clockwise; 0 leaves its images upright, as a control ...
        asked: ... of a run in which they are turned by so much: the turn that the judge then asks for.
        classes: of `rotated` in a partition of `random-classes`: the classes it holds; None draws them.
        table: of `attribute`: file name of the table, in the folder of the images.

    """

    kind: str
    client: int = 0
    degrees: float = 30.0
    asked: float = 30.0
    classes: tuple[int, ...] | None = None
    table: str | None = None

    def __post_init__(self) -> None:
        choose(self.kind, ("rotated", "attribute"), "a kind of private property")
        expect(self.client >= 0, "private.client to be the id of a participant", self.client)
        expect(math.isfinite(self.degrees), "private.degrees to be a number", self.degrees)
        asks = math.isfinite(self.asked) and self.asked != 0
        expect(asks, "private.asked to be the degrees of a turn", self.asked, "Those of the run that this controls.")
        given, attribute = self.classes, self.kind == "attribute"
        expect(given is None or not attribute, "private.classes for the kind rotated only", given)
        different = given is None or (bool(given) and len(set(given)) == len(given))
        expect(different, "private.classes to name classes, each once", given, "Or null, to have them drawn.")
        name = self.table or ""  # a participant gets it from the server, and must not be led out of its own folder
        expect(name not in ("..", ".") and not {"/", "\\", "\0"} & set(name), "private.table to be a file name", name)
        expect(bool(self.table) == attribute, "private.table for the kind attribute, and only there", self.table)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskSettings:
    """What the federation learns.

    Attributes:
        dataset: a name of task.datasets.
        image_size: side in pixels that images are resized to; None keeps their own.
        grey: turn colour images to one channel.
        partition: who holds what.
        private: what is particular to the images of one participant; None for nothing.
        model: a name of task.models.
        outputs: outputs of the model; None until a scenario fills it in with the number of classes, plus one where an
            attacker needs an extra output for its fakes.
        optimizer: of every participant.
        batch_size, local_epochs: of one local round.
        images_per_round: images a participant draws from its own for a round, without replacement; None for all.

    """

    dataset: str
    model: str
    image_size: int | None = None
    grey: bool = False
    partition: PartitionSettings = PartitionSettings()
    private: PrivateSettings | None = None
    outputs: int | None = None
    optimizer: OptimizerSettings = OptimizerSettings()
    batch_size: int = 32
    local_epochs: int = 1
    images_per_round: int | None = None

    def __post_init__(self) -> None:
        for name in ("image_size", "outputs", "batch_size", "local_epochs", "images_per_round"):
            value = getattr(self, name)
            expect(value is None or value > 0, f"{name} > 0", value)
        expect((self.image_size or 0) <= LARGEST_SIDE, f"image_size up to {LARGEST_SIDE}", self.image_size)
        classes, kind = self.private.classes if self.private else None, self.partition.kind
        fits = classes is None or kind == "random-classes"
        expect(fits, "partition.kind random-classes, since private.classes are given", kind)


def parse(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build the frozen dataclass `cls` from a mapping.

    Lists become tuples, integers stand for floats, nested mappings for nested dataclasses.

    Raises:
        SettingsError: for an unknown or missing key, a wrong type, or a value that the class refuses; `where` names the
            place in the text.

    """
    expect(isinstance(values, Mapping), f"{where} to be a mapping of keys to values", values)
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]  # cls is a dataclass
    for key in values:
        choose(key, fields, f"a key of {where}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        expect(name in values or not required, f"{where} to have the key {name!r}", sorted(values))
    parsed = {key: _convert(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    try:
        return cls(**parsed)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Return `value` as the type that `hint` names, or raise SettingsError."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        errors = []
        for option in typing.get_args(hint):
            if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
                return _convert(option, value, where)  # what is wrong inside is the better message
            try:
                return _convert(option, value, where)
            except SettingsError as error:
                errors.append(error)
        raise SettingsError(f"Expected {where} to be {_name(hint)}, got {value!r}.") from errors[-1]
    if hint is type(None):
        expect(value is None, f"{where} to be null", value)
        return None
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else parse(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        expect(isinstance(value, list | tuple), f"{where} to be a list", value)
        inner = typing.get_args(hint)
        if inner[-1] is Ellipsis:
            return tuple(_convert(inner[0], item, where) for item in value)
        expect(len(value) == len(inner), f"{where} to have {len(inner)} entries", value)
        return tuple(_convert(kind, item, where) for kind, item in zip(inner, value, strict=True))
    if origin in (dict, Mapping):
        expect(isinstance(value, Mapping), f"{where} to be a mapping", value)
        return dict(value)
    if hint is float and isinstance(value, int | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            return float(value)  # YAML takes 1e-7 for a text
    expect(
        isinstance(value, hint) and (hint is bool or not isinstance(value, bool)), f"{where} to be {_name(hint)}", value
    )
    return value


def _name(hint: Any) -> str:
    """Name a type as a person would write it in YAML."""
    names = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", type(None): "null"}
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(_name(option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "a list"
    return names.get(hint, getattr(hint, "__name__", str(hint)))


def to_dict(settings: Any) -> dict[str, Any]:
    """Return a settings dataclass as a nested mapping of plain values (tuples as lists), the inverse of `parse`."""
    result: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return result
