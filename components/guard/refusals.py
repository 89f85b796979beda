"""What is refused, and when it is told: of an update at the step, of a preview all of it at once."""

from __future__ import annotations

import asyncio

QUIET_SECONDS = 0.5
"""So long after the last refusal a preview waits for the next one, once the program is over: the engine asks about what
it would delete side by side, and prints the first answer alone."""


class RefusedError(Exception):
    """A step that would cut sessions. The engine prints the text and stops the step."""


class Refusals:
    """Those of one run of the program.

    A refusal at the step of an update comes when others have been done. So a preview, which the engine makes before
    every update unless it is told not to, asks the same questions: while the program runs it collects the answers, and
    `conclude` has them all. What the engine would delete because the program has it no longer it asks about after that.
    """

    def __init__(self, preview: bool, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._preview, self._quiet = preview, quiet_seconds
        self._texts: list[str] = []
        self._concluded = self._told = False

    async def refuse(self, text: str) -> None:
        """Raises `RefusedError`; in a preview not before the program is over."""
        if not self._preview:
            raise RefusedError(text)
        self._texts.append(text)
        if not self._concluded:
            return
        count = 0
        while count < len(self._texts):
            count = len(self._texts)
            await asyncio.sleep(self._quiet)
        if self._told:
            raise RefusedError("This is refused as well; it stands in the list.")
        self._told = True
        raise RefusedError(self._list())

    def conclude(self) -> str | None:
        """All that was refused while the program ran; None: nothing. From here on refusals are raised."""
        self._concluded = True
        return self._list() if self._texts else None

    def _list(self) -> str:
        if len(self._texts) == 1:
            return f"{self._texts[0]}\nNothing was changed."
        numbered = "\n".join(f"{number}. {text}" for number, text in enumerate(self._texts, 1))
        return f"{len(self._texts)} steps are refused; nothing was changed.\n{numbered}"
