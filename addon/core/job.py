"""A render job as the add-on remembers it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from pathlib import PurePath
from typing import Any, Literal

from .frame_ranges import FrameRanges

# How many failed frames are kept with their words; more are counted only.
MAX_FAILURES = 50

# How many notices are kept; the oldest go first.
MAX_NOTICES = 20


class JobState(Enum):
    """Where a job stands, as the artist sees it."""

    SUBMITTING = "submitting"
    CONCERNS = "concerns"
    RENDERING = "rendering"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self not in IN_MOTION


IN_MOTION = (JobState.SUBMITTING, JobState.RENDERING, JobState.PAUSING, JobState.CANCELLING)


@dataclass(frozen=True)
class FarmAddress:
    """Which farm a job is on; no secret is in here."""

    stack: str
    region: str = ""
    profile: str = ""
    endpoint: str = ""


@dataclass(frozen=True)
class Failure:
    """A frame that failed."""

    frame: int
    message: str
    log_tail: str = ""


@dataclass(frozen=True)
class MissingFile:
    """A file that the scene asks for and that is not there."""

    kind: str
    datablock_type: str
    datablock: str
    path: str
    blend_file: str


@dataclass(frozen=True)
class UnbakedSimulation:
    """A simulation that the frames show and that is not baked."""

    datablock_type: str
    datablock: str
    simulation: str


@dataclass
class Job:
    """One job, from the press of the button to its last frame."""

    id: str
    name: str
    farm: FarmAddress
    blend_file: str
    as_path: str
    scene: str
    frame_first: int
    frame_last: int
    frame_step: int
    output_folder: str
    output_template: str
    blender_version: tuple[int, int, int]
    allow_scripts: bool = False
    slices: int | None = None
    allow_other_noise: bool = False
    render_anyway: bool = False
    is_movie: bool = False
    state: JobState = JobState.SUBMITTING
    status: str = ""
    error: str = ""
    trouble: str = ""
    total: int = 0
    done: int = 0
    fetched: int = 0
    running: int = 0
    failed: int = 0
    lost: int = 0
    frames: float = 0.0
    workers: int = 0
    render_seconds: float = 0.0
    billed_seconds: float = 0.0
    cost_usd: float = 0.0
    started_seconds: float = 0.0
    rendering_seconds: float = 0.0
    ended_seconds: float = 0.0
    factor: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    missing: list[MissingFile] = field(default_factory=list)
    painted: list[tuple[str, str, str | None]] = field(default_factory=list)
    is_still: bool = False
    refined_slices: int = 0
    refined_of: int = 0
    keeps_files: bool = False
    kept_frames: list[int] = field(default_factory=list)
    node_folders: list[tuple[str, str]] = field(default_factory=list)
    folders_elsewhere: list[tuple[str, str]] = field(default_factory=list)
    unbaked: list[UnbakedSimulation] = field(default_factory=list)
    other_blender: tuple[int, int] | None = None
    may_use_other_blender: bool = False
    rendered_by: tuple[int, int] | None = None
    retry: Literal["failed", "missing"] | None = None
    files: dict[int, str] = field(default_factory=dict)
    arrived: FrameRanges = field(default_factory=FrameRanges)
    notices: list[str] = field(default_factory=list)

    def is_of(self, blend_file: str) -> bool:
        """Whether it renders a file; of one that was never saved, any such."""
        is_unsaved = PurePath(self.as_path).parent.name == self.id
        return self.as_path == blend_file or (not blend_file and is_unsaved)

    def begin_again(self, farm: FarmAddress, *, anyway: bool) -> None:
        """It is sent once more; anyway: although what was told of it is so."""
        self.may_use_other_blender |= anyway and self.other_blender is not None
        self.render_anyway = self.render_anyway or anyway
        self.farm, self.state, self.error = farm, JobState.SUBMITTING, ""
        self.missing, self.unbaked, self.other_blender = [], [], None

    @property
    def is_whole(self) -> bool:
        """Whether every frame of it is rendered."""
        return self.state is JobState.FINISHED and not self.failed and not self.lost

    @property
    def is_as_wanted(self) -> bool:
        """Whether nobody needs to look after it: it is whole, or the artist has stopped it."""
        return self.is_whole or self.state in (JobState.PAUSED, JobState.CANCELLED)

    def notice(self, text: str) -> None:
        """Keep what happened on the way, each once, for whoever looks later."""
        if text not in self.notices:
            self.notices = [*self.notices, text][-MAX_NOTICES:]

    @property
    def frame_count(self) -> int:
        """How many frames the job renders."""
        return (self.frame_last - self.frame_first) // self.frame_step + 1 - len(self.kept_frames)

    def to_json(self) -> dict[str, Any]:
        """The job as JSON values."""
        # What may be long is not copied first.
        value = {item.name: getattr(self, item.name) for item in fields(self)}
        value["farm"] = asdict(self.farm)
        for name in ("failures", "missing", "unbaked"):
            value[name] = [asdict(item) for item in getattr(self, name)]
        value["state"] = self.state.value
        value["arrived"] = self.arrived.to_json()
        # The first and the last are enough to show a sequence; the rest is fetched again.
        ends = sorted({min(self.files), max(self.files)}) if self.files else []
        value["files"] = {str(frame): self.files[frame] for frame in ends}
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Job:
        """The job from to_json's values.

        Fields of other versions are left out. Raises KeyError, TypeError or ValueError where the
        values are not a job.
        """
        known = {item.name for item in fields(cls)}
        kept = {key: item for key, item in value.items() if key in known}
        major, minor, patch = (int(number) for number in kept["blender_version"])
        kept |= {
            "farm": FarmAddress(**kept["farm"]),
            "blender_version": (major, minor, patch),
            "state": JobState(kept["state"]),
            "failures": [Failure(**item) for item in kept.get("failures", [])],
            "missing": [MissingFile(**item) for item in kept.get("missing", [])],
            "painted": [(name, file, space) for name, file, space in kept.get("painted", [])],
            "node_folders": [(written, place) for written, place in kept.get("node_folders", [])],
            "folders_elsewhere": [
                (place, folder) for place, folder in kept.get("folders_elsewhere", [])
            ],
            "other_blender": _version(kept.get("other_blender")),
            "rendered_by": _version(kept.get("rendered_by")),
            "unbaked": [UnbakedSimulation(**item) for item in kept.get("unbaked", [])],
            "files": {int(frame): str(path) for frame, path in kept.get("files", {}).items()},
            "arrived": FrameRanges(kept.get("arrived", [])),
        }
        return cls(**kept)


def _version(value: Any) -> tuple[int, int] | None:
    """A Blender's major and minor version; None for none."""
    if value is None:
        return None
    major, minor = value
    return int(major), int(minor)
