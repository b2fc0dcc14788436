"""Every attack, by its name."""

from __future__ import annotations

from bench.attacks import exchange, identity, lawful, wire

ATTACKS = {
    attack.name: attack for attack in (*wire.ATTACKS, *identity.ATTACKS, *exchange.ATTACKS, *lawful.ATTACKS)
}
