"""The honest peer's speed while strangers do to its provider what they should not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from statistics import mean

from bench.attacks.attack import Attack
from bench.attacks.registry import ATTACKS
from bench.bench import MIB, Bench
from bench.data import DataFile
from bench.results import Measured, Result, Target
from bench.rows.row import Row
from bench.rows.transfer import OURS, Provider, fetch

ALONE, ATTACKED = "alone", "attacked"


def attacks(bench: Bench) -> Iterator[Result]:
    """One line for each attack; the honest peer fetches without and with it in turns."""
    size = bench.size(256, 16)
    source = bench.file(size)
    repo = bench.ours()
    repo.set("Routing.Type", "dhtserver")  # there is nobody to find, but it can be asked
    provider = Provider.start(bench, repo, source)
    address = provider.repo.address
    alone = partial(fetch, bench, provider, OURS, source)
    for attack in ATTACKS.values():
        bench.say(f"{attack.work}, {attack.pace}")
        under_attack = partial(_under_attack, bench, attack, provider, address, source)
        measured = bench.take_turns({ALONE: alone, ATTACKED: under_attack})
        series = measured.series(ATTACKED, "MB/s"), measured.series(ALONE, "MB/s")
        work = f"{size // MIB} MiB us → us, {attack.work}"
        yield Result("attacks", work, "MB/s", *series, Target(attack.fair), _note(attack, measured))


def _under_attack(
    bench: Bench, attack: Attack, provider: Provider, address: str, source: DataFile
) -> dict[str, float]:
    """The same fetch, by a peer that starts and connects when the attack already goes on."""
    report = bench.fresh_path("report")
    with ExitStack() as stack:

        def begin(victim: str) -> None:
            attacker = bench.worker("attack", attack.name, victim, source.path, report)
            stack.callback(attacker.stop)
            attacker.wait_for("attacking")

        if attack.of_fetcher:
            figures = fetch(bench, provider, OURS, source, lambda fetcher: begin(fetcher.address))
        else:
            begin(address)
            figures = fetch(bench, provider, OURS, source)
    done = json.loads(report.read_text())
    return {
        **figures,
        "events/s": done["events"] / done["seconds"],
        "refused": done["refused"],
        "cut off": done["cut"],
        "attacker's CPU": done["cpu"] / done["seconds"],
    }


def _note(attack: Attack, measured: Measured) -> str:
    rounds = measured.figures.get(ATTACKED, [])
    if not rounds:
        return f"at most {attack.pace}"
    rate, cpu, refused, cut = (
        mean(one[figure] for one in rounds) for figure in ("events/s", "attacker's CPU", "refused", "cut off")
    )
    parts = [f"at most {attack.pace}; {rate:,.0f} were, at {cpu:.0%} of a core for the attacker itself"]
    parts += [f"{refused:.0f} were refused"] if refused else []
    parts += [f"it was cut off {cut:.0f} times"] if cut else []
    return ", ".join(parts)


ROWS = (Row("attacks", "a transfer while its provider is under attack", attacks),)
