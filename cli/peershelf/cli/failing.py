"""Failures of what runs here without a node, told as those of a node are."""

from __future__ import annotations

from peershelf.cli.errors import CliError


class Failing:
    """`with Failing():` around it: as failures.translated(), which is imported where something does fail."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, CliError):
            from peershelf.cli.failures import translated

            with translated():
                raise error
