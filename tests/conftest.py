"""Settings for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# Machines that run tests are shared and busy: how long an example takes says nothing about the code.
settings.register_profile("peershelf", deadline=None)
settings.load_profile("peershelf")

# Nodes of tests are not to meet one another, nor whoever else is on the network of this machine.
os.environ["PEERSHELF_DISCOVERY_MDNS_ENABLED"] = "false"
# Nor are they to obey the denylists of this machine.
os.environ["PEERSHELF_DENYLISTS_DIRECTORIES"] = "[]"
