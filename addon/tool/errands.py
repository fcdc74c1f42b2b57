"""What is asked of the farm beside the jobs that are followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future


class Errands:
    """Calls that wait, on threads of their own; what comes of each is told on the main thread."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._out: dict[str, tuple[Future[Any], Callable[[Any, BaseException | None], None]]] = {}

    def send(
        self,
        name: str,
        work: Callable[[], Any],
        done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """Begin, unless one of that name is out; done takes what came of it, or why nothing did."""
        if name not in self._out:
            self._out[name] = (self._threads.submit(work), done)

    def is_out(self, name: str) -> bool:
        """Whether one of that name is not back yet."""
        return name in self._out

    def poll(self) -> bool:
        """Tell what those have brought that are back; whether there were any. Never waits."""
        back = [name for name, (call, _) in self._out.items() if call.done()]
        for name in back:
            call, done = self._out.pop(name)
            error = call.exception()
            done(None if error else call.result(), error)
        return bool(back)
