"""Settings for every test."""

from __future__ import annotations

from hypothesis import settings

# Machines that run tests are shared and busy: how long an example takes says nothing about the code.
settings.register_profile("peershelf", deadline=None)
settings.load_profile("peershelf")
