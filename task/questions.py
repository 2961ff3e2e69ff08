"""What membership attackers are asked: settings. Imports no torch, so that a wrong request is refused at once."""

from dataclasses import dataclass
from typing import Any

from task.settings import choose, expect

PROTOCOLS = ("clean", "paper")
BASELINES = ("argmax", "label-only", "loss-threshold", "margin-threshold")


@dataclass(frozen=True, kw_only=True)
class MembershipSettings:
    """Which records are asked about (see docs/membership.md).

    Attributes:
        about: participants whose training records are the members; None until a scenario fills it in with all who hold
            data and do not attack.
        others: participants who are not asked about, whose records the protocol `paper` asks about beside the members;
            None until a scenario fills it in with all that hold data and do not attack.
        records: members, in equal shares; as many of each other kind.
        protocols: of PROTOCOLS: `clean` asks about images that nobody holds beside the members, as many of each label;
            `paper` about records of `others`.
        reference: images that nobody holds, for the attacker to compare with; not asked about.
        known: members whose membership the attacker is told, in equal shares, and as many images that nobody holds, of
            the same labels; not asked about. An attacker that adapts to a defence learns from them.
        defended: how the participants asked about defend themselves, for attackers who know it: `defense` and
            `options`; None until a scenario fills it in, and where they do not, or not all in the same way.
        declared: whether participants have told which labels they hold.
        baselines: membership attacks that the attacker runs beside its own, with their defaults.

    """

    about: tuple[int, ...] | None = None
    others: tuple[int, ...] | None = None
    records: int = 200
    protocols: tuple[str, ...] = ("clean",)
    reference: int = 100
    known: int = 0
    defended: dict[str, Any] | None = None
    declared: bool = True
    baselines: tuple[str, ...] = BASELINES

    def __post_init__(self) -> None:
        expect(self.records > 0, "membership.records > 0", self.records)
        expect(self.reference >= 0, "membership.reference >= 0", self.reference)
        expect(self.known >= 0, "membership.known >= 0", self.known, "0 tells the attacker nothing.")
        expect(bool(self.protocols), f"at least one of the protocols {', '.join(PROTOCOLS)}", list(self.protocols))
        for name in self.protocols:
            choose(name, PROTOCOLS, "a membership protocol")
        for what, given in (
            ("protocol", self.protocols),
            ("baseline", self.baselines),
            ("participant", (*(self.about or ()), *(self.others or ()))),
        ):
            expect(len(set(given)) == len(given), f"each {what} of membership once", list(given), "Name it once.")
        expect(self.about is None or bool(self.about), "membership.about to name somebody", [], "Or leave it out.")
