"""Runs inside Blender: renders what the consumer asks for, over a socket of its own.

Messages are four bytes of length, big-endian, then JSON. Whatever Blender, an add-on or a script
prints goes to the log and changes nothing here.
"""

import ctypes
import json
import os
import re
import resource
import select
import socket
import struct
import sys
import threading
import time
import traceback

import bpy

SOCKET_DESCRIPTOR = 3
PROGRESS_EVERY_SECONDS = 0.5
LIFE_EVERY_SECONDS = 2.0

# Most letters of what is told of an error; the log has all of it.
MOST_LETTERS = 1000

# What Cycles puts into the render's status: "... | Sample 12/64".
SAMPLES = re.compile(r"Sample (\d+)/(\d+)")


class Connection:
    """The socket to the consumer."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=SOCKET_DESCRIPTOR)
        self._sending = threading.Lock()
        # A script that starts a process must not hand it this socket.
        os.set_inheritable(SOCKET_DESCRIPTOR, False)
        threading.Thread(target=self._leave_with_parent, daemon=True).start()

    def receive(self):
        """The next request, or None when the consumer has gone away."""
        header = self._read(4)
        body = self._read(struct.unpack(">I", header)[0]) if header else None
        return json.loads(body) if body else None

    def send(self, message) -> None:
        body = json.dumps(message).encode()
        with self._sending:
            self._socket.sendall(struct.pack(">I", len(body)) + body)

    def _read(self, size):
        chunks = []
        while size:
            chunk = self._socket.recv(size)
            if not chunk:
                return None
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def _leave_with_parent(self) -> None:
        """Ends this process when the consumer is killed, also in the middle of a render."""
        hang_up = select.poll()
        hang_up.register(SOCKET_DESCRIPTOR, select.POLLHUP | select.POLLRDHUP)
        hang_up.poll()
        os._exit(0)


class SignOfLife:
    """Tells that Blender is at work where it says nothing itself: Workbench, the compositor, a
    BVH that takes minutes.

    It is at work while the processor is, and while the innermost Python is this file: what a
    script does in a loop is no sign of life.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._main = threading.get_ident()
        self._is_wanted = threading.Event()
        threading.Thread(target=self._tell, daemon=True).start()

    def __enter__(self) -> None:
        self._is_wanted.set()

    def __exit__(self, *_) -> None:
        self._is_wanted.clear()

    def _tell(self) -> None:
        before = 0.0
        while True:
            time.sleep(LIFE_EVERY_SECONDS)
            self._is_wanted.wait()
            now = time.process_time()
            frame = sys._current_frames().get(self._main)
            is_blender = frame is not None and frame.f_code.co_filename == __file__
            if is_blender and now - before > LIFE_EVERY_SECONDS / 10:
                self._connection.send(progress(0, 0))
            before = now


class SceneErrors:
    """Python errors of the scene: handlers, drivers and registered texts.

    Blender prints them and goes on (`PyErr_Print` calls `sys.excepthook`), so a frame would come
    out wrong and nobody would know.
    """

    def __init__(self) -> None:
        self._first = None
        sys.excepthook = self._take

    def clear(self) -> None:
        self._first = None

    def raise_first(self) -> None:
        if self._first:
            raise SceneError(self._first)

    def _take(self, kind, value, trace) -> None:
        traceback.print_exception(kind, value, trace)
        if self._first is None:
            where = traceback.extract_tb(trace)[-1:]
            place = (
                f" ({os.path.basename(where[0].filename)}, line {where[0].lineno})" if where else ""
            )
            self._first = f"Python: {kind.__name__}: {value}{place}"


class SceneError(Exception):
    """Something that the scene cannot render with."""


class Renderer:
    """Blender, with the scene that it has open."""

    def __init__(self, connection: Connection, errors: SceneErrors) -> None:
        self._connection = connection
        self._life = SignOfLife(connection)
        self._errors = errors
        self._open = None
        self._load_failed = None
        self._last_progress = 0.0
        self._outputs = None
        self._is_opened_early = False

    def open(self, request) -> dict:
        """Opens the scene while what only its rendering reads is still on its way."""
        load_seconds = self._load(request)
        self._is_opened_early = True
        return {"type": "opened", "load_seconds": load_seconds}

    def render(self, request) -> dict:
        load_seconds = self._load(request)
        if self._is_opened_early:
            self._is_opened_early = False
            forget_images()
        self._errors.clear()
        scene = self._scene(request["scene"])
        prepare_engine(scene, request["engines"])
        prepare_output(scene, request["output_folder"], request["output_template"])
        self._outputs.redirect(scene, request["output_folder"])
        # What Cycles keeps does not follow every animated setting of the render itself.
        scene.render.use_persistent_data = not is_animated(scene)
        started = time.perf_counter()
        try:
            with self._life:
                outcome = render_frame(scene, request["frame"])
        except RuntimeError as error:
            raise SceneError(str(error).removeprefix("Error: ").strip()) from error
        render_seconds = time.perf_counter() - started
        self._errors.raise_first()
        if outcome != {"FINISHED"}:
            raise SceneError("Blender gave up rendering; its log says more")
        return {
            "type": "rendered",
            "load_seconds": load_seconds,
            "render_seconds": render_seconds,
            "peak_memory_bytes": peak_memory_bytes(),
        }

    def _load(self, request) -> float:
        wanted = (request["blend_file"], request["allow_scripts"])
        if self._open == wanted:
            if self._load_failed:
                print(self._load_failed, file=sys.stderr)
                raise SceneError(self._load_failed)
            return 0.0
        started = time.perf_counter()
        self._errors.clear()
        self._open, self._load_failed = None, None
        try:
            with self._life:
                bpy.ops.wm.open_mainfile(
                    filepath=request["blend_file"],
                    load_ui=False,
                    use_scripts=request["allow_scripts"],
                )
        except RuntimeError as error:
            raise SceneError(str(error).removeprefix("Error: ").strip()) from error
        self._outputs = FileOutputs()
        # A new file takes its handlers along; ours comes back with each file.
        bpy.app.handlers.render_stats.append(self._tell_progress)
        self._open = wanted
        try:
            self._errors.raise_first()
            raise_disabled_driver()
        except SceneError as error:
            self._load_failed = str(error)
            raise
        return time.perf_counter() - started

    def _scene(self, name):
        if name is None:
            return bpy.context.scene
        scene = bpy.data.scenes.get(name)
        if scene is None:
            raise SceneError(f'there is no scene "{name}" in the file')
        return scene

    def _tell_progress(self, status, _=None) -> None:
        now = time.monotonic()
        if now - self._last_progress > PROGRESS_EVERY_SECONDS:
            self._last_progress = now
            found = SAMPLES.search(str(status))
            done, total = (int(found[1]), int(found[2])) if found else (0, 0)
            self._connection.send(progress(done, total))


class FileOutputs:
    """The File Output nodes of a file, with the folders that they had in it."""

    def __init__(self) -> None:
        self._scenes = {scene.name: output_folder(scene) for scene in bpy.data.scenes}
        self._nodes = [
            (tree, node.name, absolute_folder(node))
            for tree in compositor_trees()
            for node in tree.nodes
            if node.bl_idname == "CompositorNodeOutputFile"
        ]

    def redirect(self, scene, folder: str) -> None:
        """Sends what they write below a folder: as it lay to the scene's own output, or, from
        elsewhere, into a folder of the same name.
        """
        ours = self._scenes[scene.name]
        for tree, name, theirs in self._nodes:
            below = os.path.relpath(theirs, ours) if os.path.isabs(theirs) else theirs
            if below.startswith(".."):
                # Two folders of one name elsewhere stay two.
                below = re.sub(r"^(\.\./?)+", "", below) or "files"
            set_node_folder(tree.nodes[name], os.path.normpath(os.path.join(folder, below)) + "/")


def compositor_trees():
    """Every node tree with compositor nodes, groups among them."""
    trees = [tree for tree in bpy.data.node_groups if tree.bl_idname == "CompositorNodeTree"]
    # Until 4.5 a scene holds its tree itself.
    own = [getattr(scene, "node_tree", None) for scene in bpy.data.scenes]
    return trees + [tree for tree in own if tree is not None and tree not in trees]


def absolute_folder(node) -> str:
    """Where a node writes, with the variable that means the folder of the .blend file."""
    here = os.path.dirname(bpy.data.filepath)
    return bpy.path.abspath(node_folder(node).replace("{blend_dir}", here))


def node_folder(node) -> str:
    # Renamed in Blender 5.0.
    folder = node.directory if hasattr(node, "directory") else node.base_path
    return folder.replace("\\", "/")


def set_node_folder(node, folder: str) -> None:
    setattr(node, "directory" if hasattr(node, "directory") else "base_path", folder)


def output_folder(scene) -> str:
    """The fixed folder of a scene's output path, absolute."""
    fixed = re.split(r"[#{]", scene.render.filepath.replace("\\", "/"))[0]
    return os.path.dirname(bpy.path.abspath(fixed)) or "/"


def raise_disabled_driver() -> None:
    """Blender leaves out drivers in Python that may not run, and renders what was saved."""
    if bpy.app.autoexec_fail and bpy.app.autoexec_fail_message.startswith("Driver"):
        raise SceneError(
            f"{bpy.app.autoexec_fail_message} is Python, which may not run: tick Run Scripts, or"
            " submit with --allow-scripts"
        )


def is_animated(datablock) -> bool:
    """Whether settings of the datablock itself change from frame to frame."""
    data = datablock.animation_data
    return data is not None and bool(data.action or data.drivers or data.nla_tracks)


def forget_images() -> None:
    """Reads again, when it is needed, what may have been looked for before it was there."""
    for image in bpy.data.images:
        if image.source in {"FILE", "SEQUENCE", "TILED"} and not image.packed_file:
            image.reload()


def progress(samples_done: int, samples_total: int) -> dict:
    return {
        "type": "progress",
        "samples_done": samples_done,
        "samples_total": samples_total,
        "memory_bytes": memory_bytes(),
    }


def memory_bytes() -> int:
    """What this process holds at this moment (proc(5))."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def peak_memory_bytes() -> int:
    """The most that this process has ever held (proc(5))."""
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024


def prepare_engine(scene, engines) -> None:
    """Renders on what is here: no graphics card. Refuses engines that are not."""
    engine = scene.render.engine
    if engine not in engines:
        raise SceneError(
            f'the scene "{scene.name}" asks for the render engine "{engine}", which is not on the'
            " farm: choose Cycles, EEVEE or Workbench"
        )
    scene.render.compositor_device = "CPU"
    if engine == "CYCLES":
        scene.cycles.device = "CPU"
        if scene.cycles.denoiser == "OPTIX":
            scene.cycles.denoiser = "OPENIMAGEDENOISE"


def render_frame(scene, frame: int):
    """Renders an animation of one frame, so that Blender itself names the files, as it would at
    the artist's.
    """
    if "frame_start" in bpy.ops.render.render.get_rna_type().properties:
        # Since Blender 4.5: the scene keeps its own range, which drivers and metadata tell of.
        return bpy.ops.render.render(
            animation=True, scene=scene.name, frame_start=frame, frame_end=frame
        )
    scene.frame_start = scene.frame_end = frame
    scene.frame_step = 1
    return bpy.ops.render.render(animation=True, scene=scene.name)


def prepare_output(scene, folder: str, template: str) -> None:
    """Sends the scene's output into a folder, under the name that the scene gives it."""
    render = scene.render
    render.filepath = os.path.join(folder, template)
    render.use_overwrite = True
    render.use_placeholder = False
    if render.is_movie_format:
        # A movie cannot be made of one frame; lossless frames can become one afterwards.
        settings = render.image_settings
        if hasattr(settings, "media_type"):
            settings.media_type = "IMAGE"
        settings.file_format = "PNG"


def sentence(text: str) -> str:
    """One line that can be told, whatever an exception says."""
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= MOST_LETTERS else line[:MOST_LETTERS] + "…"


def flush() -> None:
    """Sends what Blender has printed on its way: it belongs to this task."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)


def main() -> None:
    os.umask(0o022)
    # What a script prints belongs into the log of its frame, also when Blender dies after it.
    sys.stdout.reconfigure(line_buffering=True)
    connection = Connection()
    renderer = Renderer(connection, SceneErrors())
    answer = {"open": renderer.open, "render": renderer.render}
    connection.send({"type": "ready", "version": list(bpy.app.version)})
    while (request := connection.receive()) is not None:
        try:
            reply = answer[request["type"]](request)
        except SceneError as error:
            reply = {"type": "failed", "message": sentence(str(error))}
        flush()
        connection.send(reply)


main()
