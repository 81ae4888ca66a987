"""Several observers behind one, so that the runtime tells everything once."""

from __future__ import annotations

import logging

from bot.ports.observer import Happening, Observer

log = logging.getLogger(__name__)


class Several:
    """Tells every observer. One that breaks is told to the log and does not stop turns or the others."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def saw(self, happening: Happening) -> None:
        """Pass it on to everybody, in order."""
        for observer in self._observers:
            try:
                observer.saw(happening)
            except Exception:
                log.exception("%s could not take note of %s", type(observer).__name__, type(happening).__name__)
