"""A set of frames that is small however many there are, as long as most stand beside each other."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class FrameRanges:
    """Frames as the first and the last of those without a gap between them."""

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        """Take ranges as `to_json` gives them.

        Raises ValueError or TypeError where they are none.
        """
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            if first > last or (self._lasts and first <= self._lasts[-1]):
                raise ValueError(f"{first} to {last} is no range of frames here")
            self._firsts.append(first)
            self._lasts.append(last)

    def add(self, frame: int) -> None:
        """Put a frame in."""
        at = bisect_right(self._firsts, frame)
        if at and frame <= self._lasts[at - 1]:
            return
        joins_left = at > 0 and self._lasts[at - 1] == frame - 1
        joins_right = at < len(self._firsts) and self._firsts[at] == frame + 1
        if joins_left and joins_right:
            self._lasts[at - 1] = self._lasts.pop(at)
            del self._firsts[at]
        elif joins_left:
            self._lasts[at - 1] = frame
        elif joins_right:
            self._firsts[at] = frame
        else:
            self._firsts.insert(at, frame)
            self._lasts.insert(at, frame)

    def to_json(self) -> list[list[int]]:
        """The ranges."""
        return [list(one) for one in zip(self._firsts, self._lasts, strict=True)]

    def __contains__(self, frame: int) -> bool:
        at = bisect_right(self._firsts, frame)
        return at > 0 and frame <= self._lasts[at - 1]

    def __iter__(self) -> Iterator[int]:
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameRanges) and self.to_json() == other.to_json()
