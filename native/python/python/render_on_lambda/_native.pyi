"""The compiled module: see each class for its arguments, results and errors."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, final

__version__: str

class FarmError(Exception):
    """Something between this machine and AWS went wrong; the message says what to do."""

class CredentialsError(FarmError):
    """There are no AWS credentials, or AWS refuses them."""

class StackError(FarmError):
    """The stack, its bucket or its queue is not there or not ready."""

@final
class FarmSettings:
    """How to find the farm.

    No secret is shown: credentials come by the AWS SDK's own chain (environment, profile, SSO), or
    from the keychain where the profile says that it has its key.
    """

    def __new__(
        cls,
        stack: str,
        *,
        region: str | None = None,
        profile: str | None = None,
        endpoint: str | None = None,
    ) -> FarmSettings:
        """Name the stack to use.

        stack: the name of the CloudFormation stack.
        region: such as "eu-central-1"; the profile's or the environment's where None.
        profile: a profile of ~/.aws; the SDK's default chain where None.
        endpoint: another address for every service, for an emulator. Without TLS only on this
            machine.
        """

    @property
    def stack(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def profile(self) -> str | None: ...
    @property
    def endpoint(self) -> str | None: ...

@final
class StackInfo:
    """What a stack is like."""

    @property
    def bucket(self) -> str:
        """The name of its bucket."""

    @property
    def consumer_memory_mib(self) -> int:
        """The memory of a worker, in MiB."""

    @property
    def maximum_concurrency(self) -> int:
        """How many frames are rendered at the same time at most."""

    @property
    def max_tries(self) -> int:
        """After how many tries a task is given up."""

    @property
    def function(self) -> str:
        """The name of the function that renders."""

    @property
    def blenders(self) -> list[tuple[int, int]]:
        """The Blenders that it renders with, as major and minor version, the oldest first."""

@final
class AccountLimits:
    """What the account allows in a region, and what a stack may ask for."""

    @property
    def concurrent_executions(self) -> int:
        """How many functions may run at the same time."""

    @property
    def unreserved_executions(self) -> int:
        """Those of them that no function has reserved for itself."""

    @property
    def is_of_a_new_account(self) -> bool:
        """Whether these are the limits of a new account: fewer executions, less memory."""

    @property
    def consumer_memory_mib(self) -> int:
        """The stack's parameter ConsumerMemory that suits the account."""

    @property
    def maximum_concurrency(self) -> int:
        """The stack's parameter MaximumConcurrency that suits the account."""

    @property
    def burst_workers(self) -> int:
        """The stack's parameter BurstWorkers that suits the account."""

    @property
    def idle_month_usd(self) -> float:
        """What a farm costs in a month in which nothing renders, without the queue's polls."""

    @property
    def frame_minute_usd(self) -> float:
        """What a frame costs that renders for a minute, with ConsumerMemory."""

@final
class StackCheck:
    """Looks whether the farm can be reached, in the background."""

    def __new__(cls, settings: FarmSettings) -> StackCheck:
        """Start looking."""

    def poll(self) -> StackInfo | None:
        """The answer, once; None before and after. Never waits.

        Raises CredentialsError, StackError, ConnectionError or ValueError, whatever stood in the
        way.
        """

@final
class MissingFile:
    """A file that the scene asks for and that is not there."""

    @property
    def kind(self) -> str:
        """What kind of file: "image", "library", …"""

    @property
    def datablock_type(self) -> str:
        """The type of the datablock that asks for it, as in bpy.types: "Image", "Library", …"""

    @property
    def datablock(self) -> str:
        """The name of that datablock."""

    @property
    def path(self) -> Path:
        """The path that was looked for."""

    @property
    def blend_file(self) -> Path:
        """The .blend file that holds the datablock."""

@final
class UnbakedSimulation:
    """A simulation that the frames show and that is not baked."""

    @property
    def datablock_type(self) -> str:
        """The type of the datablock that has it: "Object", or "Scene" for rigid bodies."""

    @property
    def datablock(self) -> str: ...
    @property
    def simulation(self) -> str:
        """Which: "cloth", "soft body", "particles", "hair dynamics", "dynamic paint", "fluid",
        "simulation nodes" or "rigid body world".
        """

@final
class UploadProgress:
    """What has been uploaded so far. Bytes are those of the files, however small they travel."""

    @property
    def found_files(self) -> int:
        """Files of the pack that were found; all of them before the first is sent."""

    @property
    def found_bytes(self) -> int: ...
    @property
    def hashed_files(self) -> int:
        """Files whose digest is known, by hashing or from before."""

    @property
    def hashed_bytes(self) -> int: ...
    @property
    def skipped_files(self) -> int:
        """Files that the bucket had."""

    @property
    def skipped_bytes(self) -> int: ...
    @property
    def sent_files(self) -> int: ...
    @property
    def sent_bytes(self) -> int: ...
    @property
    def bytes_per_second(self) -> float:
        """Bytes sent in a second, over the last ten."""

    @property
    def seconds_left(self) -> float | None:
        """Until everything is sent, at that rate; None before anything was."""

class SubmissionEvent:
    """What a submission reports; one of the classes below."""

    @final
    class Tracing(SubmissionEvent):
        """A .blend file is being read."""

        __match_args__ = ("path",)
        @property
        def path(self) -> Path: ...

    @final
    class Concerns(SubmissionEvent):
        """The frames would differ from the artist's own.

        Nothing was uploaded and the submission has ended.
        """

        __match_args__ = ("missing_files", "unbaked", "other_blender")
        @property
        def missing_files(self) -> list[MissingFile]: ...
        @property
        def unbaked(self) -> list[UnbakedSimulation]: ...
        @property
        def other_blender(self) -> tuple[int, int] | None:
            """The farm's Blender, where it is not the scene's: its pictures may differ."""

    @final
    class NotSplit(SubmissionEvent):
        """One worker renders each frame alone, where somebody might have hoped for many."""

        __match_args__ = ("obstacle", "message")
        @property
        def obstacle(self) -> str:
            """Why: "engine", "time limit", "sequencer", "freestyle", "grease pencil",
            "single layer", "own colors", "path guiding", "volumes" or "texture cache"."""
        @property
        def message(self) -> str:
            """Why, as a part of a sentence in English."""

    @final
    class Uploading(SubmissionEvent):
        """Files are being hashed, looked up and sent."""

        __match_args__ = ("progress",)
        @property
        def progress(self) -> UploadProgress: ...

    @final
    class Trouble(SubmissionEvent):
        """Something is in the way, such as the network; the upload goes on when it is back."""

        __match_args__ = ("message",)
        @property
        def message(self) -> str: ...

    @final
    class Waking(SubmissionEvent):
        """The farm's function is not ready yet and is waited for; the upload goes on."""

        __match_args__ = ("message",)
        @property
        def message(self) -> str: ...

    @final
    class Enqueueing(SubmissionEvent):
        """Frames are being enqueued."""

        __match_args__ = ("enqueued", "total")
        @property
        def enqueued(self) -> int: ...
        @property
        def total(self) -> int: ...

    @final
    class Submitted(SubmissionEvent):
        """The job is on the farm; the last event."""

        __match_args__ = ("job", "tasks", "missing_files", "blender")
        @property
        def job(self) -> str: ...
        @property
        def tasks(self) -> int: ...
        @property
        def missing_files(self) -> int: ...
        @property
        def blender(self) -> tuple[int, int]:
            """The Blender that renders it, as major and minor version."""

@final
class Submission:
    """Brings a saved scene to the farm, in the background: traces, packs, uploads, enqueues."""

    def __new__(
        cls,
        settings: FarmSettings,
        *,
        job: str,
        blend_file: str | PathLike[str],
        as_path: str | PathLike[str],
        name: str,
        frames: tuple[int, int, int],
        output_template: str,
        blender_version: tuple[int, int, int],
        scene: str | None = None,
        allow_scripts: bool = False,
        allow_missing_files: bool = False,
        allow_unbaked: bool = False,
        allow_other_blender: bool = False,
        slices: int | None = None,
        allow_other_noise: bool = False,
        painted: Sequence[tuple[str, str | PathLike[str], str | None]] = (),
        kept_frames: Sequence[int] = (),
        keeps_files: bool = False,
        output_folders: Sequence[tuple[str, str]] = (),
        is_still: bool = False,
        is_session: bool = False,
    ) -> Submission:
        """Start a submission.

        job: the id that the job will have, from new_job_id(). The same id again goes on where a
            submission that died had come to.
        blend_file: the copy of the scene to read. It must stay until the submission has ended.
        as_path: where the scene lives as the artist sees it, absolute; its // paths start there.
        name: what people call the job, 1 to 256 characters.
        frames: first frame, last frame (included), step (1 or more); at most 100,000 frames.
        output_template: the scene's output path without its fixed folder, still with # and {…}.
        blender_version: the Blender that saved blend_file.
        scene: the scene to render; the file's active one where None.
        allow_scripts: whether Python in the file may run on the farm.
        allow_missing_files: whether to go on although files are missing.
        allow_unbaked: whether to go on although simulations are not baked. Each frame shows them as
            if it was the first that is looked at.
        allow_other_blender: whether to go on although the farm renders with a newer Blender than
            the scene's.
        slices: into how many slices each frame is split, 2 to 1000; 1 for none. With None a worker
            splits a frame that takes too long for it, and one image that would come much earlier.
        allow_other_noise: whether frames may be split whose slices have other noise than the whole,
            of the same quality: path guiding, volumes, the texture cache.
        painted: images of the scene's own that were painted and not saved: the name, a file with
            the pixels as Blender holds them (PNG of bytes with straight alpha, OpenEXR of floats
            with premultiplied alpha; <UDIM> for a tile's number), and the colour space that they
            are held in where it is not the image's own.
        kept_frames: frames among these that are there already and are not rendered.
        keeps_files: whether the scene's Overwrite is off: no file is replaced.
        output_folders: the folders of File Output nodes: as they stand in the scene with forward
            slashes, and the place of their files among the results, relative.
        is_still: whether it is one image at the time at which the scene was saved, which may lie
            between two frames.
        is_session: whether blend_file was saved from a Blender that has the scene open: drivers
            that it has given up stay so, as they do for F12, and are not tried anew.

        Raises ValueError where an id or the frames cannot be.
        """

    @property
    def is_over(self) -> bool:
        """Whether the work has ended and all its events were polled."""

    def poll(self) -> list[SubmissionEvent]:
        """What has happened since the last poll. Never waits.

        Raises, once and last, what stopped the submission: FarmError, OSError, ConnectionError
        or ValueError.
        """

    def stop(self) -> None:
        """Stop at the next step. What was uploaded stays and is not sent again."""

@final
class Progress:
    """How far a job is."""

    @property
    def total(self) -> int:
        """Tasks of the job."""

    @property
    def done(self) -> int:
        """Tasks whose frames are rendered."""

    @property
    def fetched(self) -> int:
        """Tasks whose frames are on this machine."""

    @property
    def running(self) -> int:
        """Tasks being worked on."""

    @property
    def failed(self) -> int:
        """Tasks that failed for good."""

    @property
    def cancelled(self) -> int:
        """Tasks dropped because the job was cancelled."""

    @property
    def lost(self) -> int:
        """Tasks that nobody has and that are on the queue no more: retry_job brings them back."""

    @property
    def frames(self) -> float:
        """The frames done, with the parts of those that are running."""

    @property
    def workers(self) -> int:
        """How many different workers have taken part."""

    @property
    def render_seconds(self) -> float:
        """Blender's own render time, all tasks together."""

    @property
    def billed_seconds(self) -> float:
        """All time that tasks took on their workers."""

    @property
    def cost_usd(self) -> float:
        """What the tasks so far cost on Lambda, in US dollars."""

    @property
    def is_cancelled(self) -> bool:
        """Whether the artist cancelled the job."""

    @property
    def is_paused(self) -> bool:
        """Whether the artist has paused the job: retry_job lets it go on."""

class JobEvent:
    """What a watched job reports; one of the classes below."""

    @final
    class Progress(JobEvent):
        """How far the job is; sent when it changes."""

        __match_args__ = ("progress",)
        @property
        def progress(self) -> Progress: ...

    @final
    class Frame(JobEvent):
        """A frame is on this machine."""

        __match_args__ = ("frame", "paths")
        @property
        def frame(self) -> int: ...
        @property
        def paths(self) -> list[Path]: ...

    @final
    class Refined(JobEvent):
        """More slices of an image are there, that is still being rendered: path is a small picture
        of it, in which slices of so many are.
        """

        __match_args__ = ("frame", "path", "slices", "of")
        @property
        def frame(self) -> int: ...
        @property
        def path(self) -> Path: ...
        @property
        def slices(self) -> int: ...
        @property
        def of(self) -> int: ...

    @final
    class TaskFailed(JobEvent):
        """A task failed; failure_class is "scene" or "machine"."""

        __match_args__ = (
            "frame",
            "try_number",
            "retrying",
            "failure_class",
            "message",
            "log_tail",
        )
        @property
        def frame(self) -> int: ...
        @property
        def try_number(self) -> int: ...
        @property
        def retrying(self) -> bool: ...
        @property
        def failure_class(self) -> str: ...
        @property
        def message(self) -> str: ...
        @property
        def log_tail(self) -> str: ...

    @final
    class Trouble(JobEvent):
        """Something is in the way, such as the network; the watch goes on."""

        __match_args__ = ("message",)
        @property
        def message(self) -> str: ...

    @final
    class Lost(JobEvent):
        """Tasks that will never be rendered unless they are enqueued again (retry_job): no worker
        has them, and the queue has them no more.
        """

        __match_args__ = ("frames", "message")
        @property
        def frames(self) -> list[int]: ...
        @property
        def message(self) -> str: ...

    @final
    class Finished(JobEvent):
        """Every task has come to its end, or is lost; the last event."""

        __match_args__ = ("progress",)
        @property
        def progress(self) -> Progress: ...

@final
class Job:
    """Follows a job in the background and fetches its frames as they land."""

    def __new__(
        cls,
        settings: FarmSettings,
        job: str,
        folder: str | PathLike[str],
        *,
        elsewhere: Sequence[tuple[str, str | PathLike[str]]] = (),
        previews: str | PathLike[str] | None = None,
        retry: Literal["failed", "missing"] | None = None,
    ) -> Job:
        """Start following.

        job: the job's id.
        folder: where the frames go. Files that are there with the same bytes are left alone.
        elsewhere: where files of File Output nodes go that lie outside the folder, by their places
            among the results (output_folders of Submission).
        previews: a folder for a small picture of an image that workers render in slices: at most
            1600 pixels on a side, as OpenEXR, written anew as slices come. None for none.
        retry: the tasks to enqueue again before; see retry_job.

        Raises ValueError where the id or retry cannot be.
        """

    @property
    def id(self) -> str: ...
    def poll(self) -> list[JobEvent]:
        """What has happened since the last poll. Never waits.

        Raises, once and last, what stopped the watch: FarmError, OSError or ValueError.
        """

    def cancel(self) -> None:
        """Ask that the job stop. Frames that are done are still fetched; Finished comes last."""

    def pause(self) -> None:
        """Ask that no frame be begun any more.

        Those that have been are still fetched; Finished comes last.
        """

    def stop_watching(self) -> None:
        """Stop following. The job goes on and can be followed again."""

@final
class Dependency:
    """A file, or a set of files, that a scene asks for."""

    @property
    def kind(self) -> str: ...
    @property
    def datablock_type(self) -> str: ...
    @property
    def datablock(self) -> str: ...
    @property
    def library_chain(self) -> list[Path]:
        """The .blend files that lead to it, from the scene on."""

    @property
    def written(self) -> bytes:
        """The path as the datablock has it."""

    @property
    def path(self) -> Path:
        """That path on this machine; for a set of files still the pattern or the folder."""

    @property
    def files(self) -> list[Path]:
        """The files that are there, sorted."""

    @property
    def file_sizes(self) -> list[int]:
        """The size of each of those files in bytes."""

    @property
    def frames(self) -> tuple[int, int] | None:
        """The first and the last frame of a sequence that are there, both included."""

    @property
    def missing(self) -> bool:
        """Whether no file is there, or one of those that it names is not."""

    @property
    def missing_files(self) -> list[Path]:
        """What is not there: the files that are named one by one, or the path itself."""

    @property
    def packed(self) -> bool:
        """Whether it belongs into a pack: what is not used does not, nor where a datablock was
        appended from.
        """

    @property
    def used(self) -> bool:
        """Whether a scene of the file leads to it; what is not used stays out of the pack."""

    @property
    def required(self) -> bool:
        """Whether the scene renders wrongly without it: not so for what was never baked, nor for
        what is not used.
        """

@final
class Problem:
    """Something that Blender would miss on the farm."""

    @property
    def kind(self) -> str:
        """ "missing file", "path out of the pack", "missing datablock", "needs Run Scripts" or
        "not baked".
        """

    @property
    def datablock_type(self) -> str:
        """The type of the datablock, as in bpy.types: "Image", "Library", …"""

    @property
    def datablock(self) -> str: ...
    @property
    def library(self) -> str:
        """The library that it comes from, by its path in the pack; empty for the scene's own."""

    @property
    def path(self) -> str:
        """The path that does not resolve: in the pack where it lies there, else as it stands.

        The script that may not run, or the simulation, where that is the problem.
        """

class LocalPackEvent:
    """What the writing or checking of a local pack reports; one of the classes below."""

    @final
    class Tracing(LocalPackEvent):
        """A .blend file is being read."""

        __match_args__ = ("path",)
        @property
        def path(self) -> Path: ...

    @final
    class MissingFiles(LocalPackEvent):
        """Files are missing. Where that was not allowed, nothing was written: the last event."""

        __match_args__ = ("files",)
        @property
        def files(self) -> list[MissingFile]: ...

    @final
    class Writing(LocalPackEvent):
        """Files are being written."""

        __match_args__ = ("files_done", "files_total", "bytes_done", "bytes_total")
        @property
        def files_done(self) -> int: ...
        @property
        def files_total(self) -> int: ...
        @property
        def bytes_done(self) -> int: ...
        @property
        def bytes_total(self) -> int: ...

    @final
    class Written(LocalPackEvent):
        """The pack is whole. blend_file is the scene's place in it."""

        __match_args__ = ("files", "bytes", "blend_file", "rewritten")
        @property
        def files(self) -> int: ...
        @property
        def bytes(self) -> int: ...
        @property
        def blend_file(self) -> str: ...
        @property
        def rewritten(self) -> int:
            """How many .blend files had paths to rewrite."""

    @final
    class Opening(LocalPackEvent):
        """Blender opens the pack."""

    @final
    class NotSplit(LocalPackEvent):
        """One worker would render each frame alone: as SubmissionEvent.NotSplit. Of a check."""

        __match_args__ = ("obstacle", "message")
        @property
        def obstacle(self) -> str: ...
        @property
        def message(self) -> str: ...

    @final
    class Verified(LocalPackEvent):
        """Blender has opened the pack; the last event of a check."""

        __match_args__ = ("problems",)
        @property
        def problems(self) -> list[Problem]: ...

@final
class LocalPack:
    """Writes a scene with all its files to this machine, in the background."""

    def __new__(
        cls,
        blend_file: str | PathLike[str],
        to: str | PathLike[str],
        *,
        as_path: str | PathLike[str] | None = None,
        allow_missing_files: bool = False,
        frames: tuple[int, int, int] | None = None,
        painted: Sequence[tuple[str, str | PathLike[str], str | None]] = (),
        is_session: bool = False,
    ) -> LocalPack:
        """Start writing.

        blend_file: the file to read, absolute.
        to: a zip where the name ends in .zip, else a new or empty folder.
        as_path: where the scene lives as the artist sees it; blend_file where None.
        allow_missing_files: whether to go on although files are missing.
        frames: first, last and step of what is to be rendered; of image sequences only what these
            frames show is packed. None packs sequences whole.
        painted: images that were painted and not saved, as for Submission.
        is_session: whether blend_file was saved from a Blender that has the scene open, as for
            Submission.
        """

    @staticmethod
    def verify(
        blend_file: str | PathLike[str],
        blender: str | PathLike[str],
        *,
        as_path: str | PathLike[str] | None = None,
        scene: str | None = None,
        allow_scripts: bool = False,
        painted: Sequence[tuple[str, str | PathLike[str], str | None]] = (),
        limit_seconds: int = 600,
    ) -> LocalPack:
        """Start to check: pack into a temporary folder and open that with Blender, scripts off.

        blender: the program; one whose name begins with "python" has Blender as a module.
        as_path: where the scene lives as the artist sees it; blend_file where None.
        scene: the scene to render; the file's active one where None.
        allow_scripts: whether Python in the file may run on the farm; where not, what of the scene
            needs it is a problem.
        painted: images that were painted and not saved, as for Submission.
        limit_seconds: how long Blender may take.
        """

    @property
    def is_over(self) -> bool:
        """Whether the work has ended and all its events were polled."""

    def poll(self) -> list[LocalPackEvent]:
        """What has happened since the last poll. Never waits.

        Raises, once and last, what stopped the work: OSError or ValueError.
        """

    def stop(self) -> None:
        """Stop within a moment. A zip leaves nothing; a folder keeps what was written."""

@final
class RenderSettings:
    """What a scene says about its own rendering."""

    @property
    def scene(self) -> str: ...
    @property
    def frames(self) -> tuple[int, int, int]:
        """First frame, last frame (included), step."""

    @property
    def output_folder(self) -> str:
        """The fixed folder of the output path, as written."""

    @property
    def output_template(self) -> str:
        """The rest of the output path, still with # and {…}."""

    @property
    def is_movie(self) -> bool:
        """Whether the output is a movie, which comes back as frames."""

    @property
    def overwrites(self) -> bool:
        """Whether frames replace files that are there."""

    @property
    def blender_version(self) -> tuple[int, int, int]:
        """The Blender that saved the file; files do not tell the last number, which is 0."""

@final
class ListedJob:
    """A job in the bucket."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def created_ms(self) -> int:
        """When it was made, in milliseconds since 1970 (UTC)."""

    @property
    def frames(self) -> tuple[int, int, int]:
        """First frame, last frame (included), step."""

    @property
    def scene(self) -> str | None:
        """The scene that is rendered; the file's active one where None."""

    @property
    def output_template(self) -> str:
        """The scene's output path without its fixed folder, still with # and {…}."""

    @property
    def blender_version(self) -> tuple[int, int, int]:
        """The Blender that the scene was sent from."""

    @property
    def progress(self) -> Progress: ...

def list_jobs(settings: FarmSettings, *, limit: int = 20) -> list[ListedJob]:
    """The newest jobs, the newest first. Waits for the answer.

    Raises FarmError, OSError, ConnectionError or ValueError.
    """

@final
class SetUpEvent:
    """Something that happens while a farm is set up or removed."""

    @property
    def kind(self) -> str:
        """ "step", "resource", "image" or "objects"."""

    @property
    def name(self) -> str:
        """The step ("look", "stack", "code", "functions"), the resource's name in the template, or
        the stage of the image: "parts" while they are downloaded, "layers" while they are pushed.
        """

    @property
    def status(self) -> str:
        """Of a resource, as CloudFormation calls it, such as "CREATE_COMPLETE"."""

    @property
    def done(self) -> int:
        """The step's number from 1, the image's bytes that are done, or the deleted objects."""

    @property
    def total(self) -> int:
        """How many steps, or bytes; 0 where nobody knows."""

@final
class FarmSetUp:
    """A farm that is being set up, or upgraded to this version, on a thread of its own.

    Whatever ends it in the middle, another one goes on where it was, by what AWS says is there.
    """

    def __new__(
        cls, settings: FarmSettings, functions: Path, parameters: dict[str, str]
    ) -> FarmSetUp:
        """Begin.

        functions: the folder with the functions' zips. parameters: those of the template that are
        not to be what the account suggests, or what they were.
        """

    def poll(self) -> list[SetUpEvent]:
        """What has happened since the last poll. Never waits.

        Raises CredentialsError, StackError with AWS's own words and what to do, FarmError,
        ConnectionError, OSError where the zips cannot be read, or ValueError where no stack can
        have that name.
        """

    @property
    def is_over(self) -> bool:
        """Whether it is done and everything was polled."""

@final
class FarmRemoval:
    """A farm that is being deleted, with its bucket and every frame in it, on a thread of its own.

    Afterwards AWS is asked whether anything is left. Another one goes on where this was ended.
    """

    def __new__(cls, settings: FarmSettings) -> FarmRemoval:
        """Begin."""

    def poll(self) -> list[SetUpEvent]:
        """What has happened since the last poll. Never waits.

        Raises CredentialsError, StackError, FarmError, ConnectionError or ValueError.
        """

    @property
    def is_over(self) -> bool:
        """Whether it is done and everything was polled."""

@final
class FarmStatus:
    """What there is of a farm."""

    @property
    def account(self) -> str:
        """The account's twelve digits."""

    @property
    def identity(self) -> str:
        """The ARN of the user or the session whose credentials these are."""

    @property
    def region(self) -> str:
        """The region that was asked."""

    @property
    def stack_status(self) -> str | None:
        """As CloudFormation calls the stack's state; None where there is no stack of the name."""

    @property
    def version(self) -> str | None:
        """The version that the stack was made by."""

    @property
    def has_functions(self) -> bool:
        """Whether it can render: False where a set-up was ended in the middle."""

    @property
    def is_current(self) -> bool:
        """Whether it is of this version."""

    @property
    def parameters(self) -> dict[str, str]:
        """The stack's parameters."""

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""

@final
class Permission:
    """An action that a role needs."""

    @property
    def purpose(self) -> str:
        """What it is for: the statement of the policy, or the service where it has no name."""

    @property
    def action(self) -> str:
        """Such as "sqs:SendMessage"."""

    @property
    def resource(self) -> str:
        """On what; an asterisk stands for letters that nobody knows before."""

    @property
    def is_allowed(self) -> bool:
        """Whether these credentials may do it."""

@final
class Quota:
    """How many functions the account may run at once in a region."""

    @property
    def concurrent_executions(self) -> int:
        """As many as that."""

    @property
    def requested(self) -> float | None:
        """What the newest request asks for; None without one."""

    @property
    def request_status(self) -> str | None:
        """What AWS calls the state of that request, such as "PENDING" or "APPROVED"."""

def farm_status(settings: FarmSettings) -> FarmStatus:
    """Look at a farm, there or not. Waits for the answer.

    Raises StackError where a stack of that name is no farm, CredentialsError, FarmError,
    ConnectionError or ValueError.
    """

def farm_policy(settings: FarmSettings, role: str) -> str:
    """The policy of a role ("administrator", "artist", "consumer") as JSON. Waits for the answer.

    Raises ValueError where there is no such role, or what farm_status raises.
    """

def farm_permissions(settings: FarmSettings, role: str) -> list[Permission]:
    """Every action of a role's policy, and whether these credentials may do it, by IAM's own
    simulator. Waits for the answers.

    Raises FarmError where they may not simulate their own policies, or what farm_policy raises.
    """

def quota(settings: FarmSettings) -> Quota:
    """How many functions may run at once, and what was asked for. Waits for the answer.

    Raises CredentialsError, FarmError or ConnectionError.
    """

def request_quota(settings: FarmSettings, executions: int) -> str:
    """Ask AWS for so many concurrent executions; the state of the request. Waits for the answer.

    Raises CredentialsError, FarmError where one is open already, or ConnectionError.
    """

@final
class KnownProfile:
    """A profile in ~/.aws."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def region(self) -> str | None:
        """The region that it names."""

    @property
    def state(self) -> str:
        """Whether it can be used as it is.

        "signed in", "may have ended" or "signed out" where somebody signs in with a browser; of the
        second AWS alone knows. "ready" with a key in the file or what gets one without asking,
        "needs code" where a device's one-time code is asked for, which cannot be typed here,
        "empty" where nothing in it says how credentials are had.
        """

def known_profiles() -> list[KnownProfile]:
    """All profiles of this machine, by name; none where their files cannot be read."""

@final
class SignInEvent:
    """Something that has happened while somebody signs in."""

    @property
    def kind(self) -> Literal["page", "role", "signed in"]:
        """A page that the browser shall show; a role to choose; the end."""

    @property
    def address(self) -> str:
        """The page's address."""

    @property
    def code(self) -> str | None:
        """The code that the page shows too, to be compared; None where it shows none."""

    @property
    def identity(self) -> str:
        """Who has signed in, as AWS names them."""

    @property
    def account_id(self) -> str:
        """The twelve digits of a role's account."""

    @property
    def account_name(self) -> str:
        """What the company calls it."""

    @property
    def role(self) -> str:
        """The role's name."""

@final
class SignIn:
    """Signs the settings' profile in, and leaves what all tools of AWS read in ~/.aws.

    By IAM Identity Center where a company is given or the profile names one, else by the browser as
    `aws login` does. Events: "page", then "signed in", or each "role" of which use_role takes one.
    """

    def __new__(
        cls,
        settings: FarmSettings,
        *,
        company: tuple[str, str] | None = None,
        role: tuple[str, str] | None = None,
    ) -> SignIn:
        """Begin.

        company: the address of an IAM Identity Center, and the region that it is in.
        role: the account and the role of a company to use; with another one nothing is written.
        """

    def poll(self) -> list[SignInEvent]:
        """What has happened since the last poll. Never waits.

        Raises CredentialsError where AWS or the person says no, or the profile has other
        credentials; ValueError for an address that is none; ConnectionError, OSError, FarmError.
        """

    @property
    def is_over(self) -> bool:
        """Whether it has ended and everything was polled."""

    def use_role(self, account_id: str, role: str) -> None:
        """Write one of the roles that were told into the profile that was signed in to.

        Raises ValueError for what has no place in a profile, CredentialsError where the profile has
        other credentials by now, OSError where ~/.aws cannot be written.
        """

    def cancel(self) -> None:
        """Stop waiting; the browser's page may be closed."""

def keep_access_key(settings: FarmSettings, access_key_id: str, secret_access_key: str) -> None:
    """Put an access key into the operating system's keychain, for the settings' profile.

    No file has it: ~/.aws/config only says that the keychain does. Waits for the keychain.

    Raises ValueError where it cannot be a key, CredentialsError where there is no keychain or the
    profile has other credentials, OSError where ~/.aws cannot be written.
    """

def forget_access_key(settings: FarmSettings) -> None:
    """Take the key of the settings' profile out of the keychain, and the note of it in ~/.aws.

    Nothing where there is none. Raises CredentialsError where there is no keychain, OSError where
    ~/.aws cannot be written.
    """

def account_limits(settings: FarmSettings) -> AccountLimits:
    """Ask Lambda what the account allows; the stack need not be there. Waits for the answer.

    Raises FarmError, CredentialsError, ConnectionError or ValueError.
    """

def cancel_job(settings: FarmSettings, job: str) -> None:
    """Ask that a job stop. Waits until the bucket has taken it.

    Raises ValueError where the id cannot be, FarmError where there is no such job, or what stood in
    the way.
    """

def pause_job(settings: FarmSettings, job: str) -> bool:
    """Ask that no frame of a job be begun any more; retry_job lets it go on.

    Waits until the bucket has taken it. False where it is paused already, or cancelled.

    Raises ValueError where the id cannot be, FarmError where there is no such job, or what stood in
    the way.
    """

def remove_job(settings: FarmSettings, job: str) -> None:
    """Cancel a job, and delete its frames, logs and records from the bucket.

    Waits until it is done. Interrupted, it goes on where it was when it is called again. Packs
    stay: other jobs may have them. No error where there is no such job.

    Raises ValueError where the id cannot be, or FarmError: what stood in the way.
    """

def retry_job(settings: FarmSettings, job: str, *, missing: bool = False) -> int:
    """Enqueue the tasks of a job again that failed for good; how many. Waits until it is done.

    missing: all others too that are neither rendered nor being worked on, for where the queue has
    lost them. One that is on the queue all the same is rendered once.

    Raises ValueError where the id cannot be, FarmError where there is no such job or it was
    cancelled, or what stood in the way.
    """

def render_settings(blend_file: str | PathLike[str], scene: str | None = None) -> RenderSettings:
    """Read what a scene says about its own rendering, without Blender.

    scene: its name; the active one where None.

    Raises OSError where the file cannot be read, ValueError where it is not sound or has no such
    scene.
    """

def make_preview(
    frame: str | PathLike[str], folder: str | PathLike[str], name: str, most_pixels: int
) -> Path:
    """Write a small copy of a frame into a folder: name.png, or name.exr where it holds floats. Its
    path. Waits until it is done, and lets other threads go on meanwhile.

    most_pixels: of the longer side.

    Raises OSError, or ValueError where the frame is of a format that is not read here.
    """

def merge_tiles(
    tiles: Sequence[
        tuple[
            str | PathLike[str],
            tuple[int, int],
            tuple[int, int],
            tuple[int, int],
            tuple[int, int],
        ]
    ],
    size: tuple[int, int],
    frame: str | PathLike[str],
) -> None:
    """Put the tiles of a frame together, and write it: an OpenEXR file with all passes.

    tiles: of each its file, and as plan_tiles gives them its position in the frame, its size, and
    position and size of what was rendered for it; from the left and from the top, in pixels.
    size: of the frame, in pixels.

    Waits until it is done, and lets other threads go on meanwhile. Raises OSError, or ValueError
    where a file is damaged, or the tiles leave a pixel open or overlap.
    """

def merge_samples(
    slices: Sequence[tuple[str | PathLike[str], int, int]],
    frame: str | PathLike[str],
    *,
    views: Sequence[str] = (),
) -> None:
    """Put slices of the samples of a frame together, and write it: an OpenEXR file with all passes.

    slices: of each its file, its first sample, and how many it has. A slice has the colour of each
    light pass: Diffuse Color beside Diffuse Direct.
    views: the names of the views of a stereo frame.

    Waits until it is done, and lets other threads go on meanwhile. Raises OSError, or ValueError
    where a file is damaged, or the slices do not follow on each other from sample 0.
    """

def plan_tiles(
    size: tuple[int, int], count: int, *, adaptive_tile_size: int | None = None
) -> list[tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]]:
    """Cut a frame into tiles of nearly the same area: of each its position and size, and those of
    what is rendered for it. In pixels, from the left and from the top.

    size: of the frame, in pixels. count: how many there are at the most.
    adaptive_tile_size: where sampling is adaptive, the size of Cycles' own tiles. Tiles have a
    margin then and keep to their lines; there are none where Cycles has more than count.
    """

def slice_metadata(slice: str | PathLike[str]) -> list[tuple[str, str]]:
    """The texts that Cycles has written into a slice for whoever reads the frame: what is in a
    Cryptomatte, how many samples there are.

    Raises OSError, or ValueError where it is no slice.
    """

def split_output_path(
    output_path: str,
    *,
    blend_file: str | PathLike[str] | None = None,
    blender_version: tuple[int, int] = (5, 2),
) -> tuple[str, str]:
    """Split an output path into its fixed folder and the template that Blender fills in.

    "//render/shot_####" gives ("//render/", "shot_####"). The template has forward slashes.
    Variables that mean a place of the .blend file are replaced: {blend_dir}, and of a scene that
    was never saved {blend_name}.

    blend_file: the scene's file; None where it was never saved.
    blender_version: before 5.0 curly brackets are letters.

    Raises ValueError where there is no such variable.
    """

def new_job_id() -> str:
    """A new job id; ids sort by the time they were made."""

def notify(title: str, text: str) -> None:
    """Show a notification on the desktop of whoever sits here. Never waits.

    Through the desktop's own service (freedesktop.org's notifications, Windows); nothing is shown
    and nothing raised where there is none, nor on macOS.

    title: a few words, shown as they are.
    text: a sentence or two, shown as they are.

    Raises OSError where no thread can be started.
    """

def split_obstacle(
    blend_file: str | PathLike[str], scene: str | None = None
) -> tuple[str, str] | None:
    """Why one worker renders each frame of a scene alone, as far as the file tells; None where many
    may render parts of it. The reason's name, as SubmissionEvent.NotSplit has it, and a part of a
    sentence. The worker that renders has the last word.

    scene: its name; the active one where None.

    Raises OSError where a file cannot be read and ValueError where it is not a sound .blend file.
    """

def trace(
    blend_file: str | PathLike[str], as_path: str | PathLike[str] | None = None
) -> list[Dependency]:
    """List what a scene asks for, recursively through linked libraries.

    blend_file: the file to read, absolute.
    as_path: where the scene lives as the artist sees it; blend_file where None.

    Raises OSError where a file cannot be read and ValueError where it is not a sound .blend file.
    """
