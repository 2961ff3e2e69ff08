"""The verbs of `oleander deploy`: certificates for all hosts, the server's host, a participant's host."""

import ipaddress
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oleander.carrying_out import carry_out, console, data_folder
from oleander.scenario import load
from task.settings import SettingsError, expect

if TYPE_CHECKING:  # `oleander --help` does not wait for it
    from oleander.engines import Security

verbs = typer.Typer(
    help="One federation over several hosts: certificates, the server's host, the participants' hosts.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Certificates = Annotated[
    Path | None, typer.Option(help="Folder of certificates; else ./certificates, unless the address is loopback.")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Plain text, and everybody is let in.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="key=value; may be repeated.")]
Data = Annotated[Path | None, typer.Option(help="Folder of the data sets; else $OLEANDER_DATA, else ./data.")]
FOLDER = Path("certificates")


@verbs.command()
def certificates(
    server: Annotated[str, typer.Option(help="Names and addresses by which participants reach the server, as a,b.")],
    clients: Annotated[int, typer.Option(help="Number of participants.")],
    out: Annotated[Path, typer.Option(help="A new folder.")] = FOLDER,
    days: Annotated[int, typer.Option(help="That they hold for.")] = 365,
) -> None:
    """Make the certificates and keys of a deployment: a folder for the server's host, and one for each client's."""
    from oleander.deploy.issuing import issue  # noqa: PLC0415 - only this verb needs cryptography

    issue(out, [name.strip() for name in server.split(",") if name.strip()], clients, days)
    console.print(
        f"Made {out}. Copy {out}/server to the server's host and {out}/client-N to that of participant N, to the same "
        f"place; then nobody needs the rest. Private keys are readable by their owner only.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


@verbs.command()
def server(
    scenario: str,
    *,
    address: Annotated[str, typer.Option(help="HOST:PORT to listen on; 0.0.0.0 for all addresses of this host.")],
    certificates: Certificates = None,
    overrides: Overrides = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Run directory; else runs/NAME/TIMESTAMP-SEED.")] = None,
    loot: Annotated[
        list[Path] | None,
        typer.Option(help="A client's --out that this host can read, to be judged with the run; may be repeated."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Replaces the scenario's seed.")] = None,
    insecure: Insecure = False,
) -> None:
    """Wait for the participants, run a scenario with them, judge what is on this host and write the report.

    SCENARIO is a YAML file, or a name from `oleander list scenarios`. Afterwards the clients wait for the next run.
    """
    from oleander.deploy.certificates import of_server  # noqa: PLC0415 - as above
    from oleander.engines.ports import check_free, split  # noqa: PLC0415

    chosen = load(scenario, overrides or (), seed)
    folder = _folder(address, certificates, insecure=insecure)
    security = None if folder is None else of_server(folder, split(address)[0], chosen.federation.clients)
    check_free(address)
    options = ["--insecure"] * insecure + (["--certificates", str(certificates)] if certificates else [])
    options += [text for override in overrides or () for text in ("--set", override)]
    line = shlex.join([scenario, "--server", _reached(address, security), *options])
    console.print(
        f"Clients 0 to {chosen.federation.clients - 1} join with: oleander deploy client N {line}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    carry_out(chosen, engine="grpc", data=data, out=out, address=address, security=security, loot=loot or ())


@verbs.command()
def client(
    clients: Annotated[str, typer.Argument(metavar="N")],
    scenario: str,
    *,
    server: Annotated[str, typer.Option(help="HOST:PORT of the server.")],
    certificates: Certificates = None,
    overrides: Overrides = None,
    data: Data = None,
    device: Annotated[str, typer.Option(help="auto, cpu, or a GPU of this host, as cuda:1.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder of loot and logs on this host; else runs/NAME/client-N.")
    ] = None,
    insecure: Insecure = False,
) -> None:
    """Join a server as participant N, for one run after the other, until this is interrupted.

    N counts from 0; several on one host are N,M. SCENARIO says what N does: malicious, defended or honest. Its loot
    stays here, in a folder for each run.
    """
    from oleander.deploy.joining import Seat, join  # noqa: PLC0415 - it imports Flower
    from oleander.engines.ports import is_everywhere, split  # noqa: PLC0415

    remedy = "0.0.0.0 is where a server listens; name the address that it has for this host."
    expect(not is_everywhere(split(server)[0]), "an address of one host in --server", server, remedy)
    chosen = load(scenario, overrides or ())
    ids = _ids(clients, chosen.federation.clients)
    folder = _folder(server, certificates, insecure=insecure)
    join(
        Seat(scenario=chosen, clients=ids, server=server, certificates=folder, data=data_folder(data), device=device),
        out,
    )


def _reached(address: str, security: "Security | None") -> str:
    """Return at which address participants find a server that listens at another; with HOST where only they know."""
    from oleander.deploy.certificates import reached_by  # noqa: PLC0415 - as above
    from oleander.engines.ports import is_everywhere, split  # noqa: PLC0415

    host, port = split(address)
    if not is_everywhere(host):
        return address
    name = next(iter(reached_by(security) if security else []), "HOST")
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _ids(text: str, clients: int) -> tuple[int, ...]:
    """Return the participants in a text "N" or "N,M"."""
    parts = text.split(",")
    fits = all(part.isascii() and part.isdigit() and int(part) < clients for part in parts) and len(set(parts)) == len(
        parts
    )
    expect(fits, f"a participant from 0 to {clients - 1}, or several as N,M", text)
    return tuple(int(part) for part in parts)


def _folder(address: str, given: Path | None, *, insecure: bool) -> Path | None:
    """Return the folder of certificates; None where plain text was asked for, or where the address is loopback."""
    from oleander.engines.ports import split  # noqa: PLC0415

    host = split(address)[0]
    expect(not (insecure and given), "--insecure or --certificates", "both", "Leave one out.")
    if insecure:
        return None
    if given is None and (host == "localhost" or _is_loopback(host)):
        return None
    folder = given or FOLDER
    if not folder.is_dir():
        raise SettingsError(
            f"Expected a folder of certificates for {host}, which is no loopback address, got no {folder}. Make one "
            "with `oleander deploy certificates`, and name it with --certificates."
        )
    return folder


def _is_loopback(host: str) -> bool:
    """Return whether an address is this host's own, which no other host reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
