"""Run in a JVM with doubles of Android's classes: what the services do there, told as JSON for the tests.

    python device_story.py whole FOLDER
    python device_story.py ended FOLDER         (and the others at the end of this file)

The thread that runs this is the app's main thread and its window's thread; the folder is the device's disk.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from typing import Any

import jnius_config

STORY, DISK = sys.argv[1], Path(sys.argv[2])
jnius_config.add_options(f"-Dcache={DISK / 'cache'}", *(["-Xcheck:jni"] if STORY == "much" else []))

from jnius import autoclass, cast  # noqa: E402

from osteo_edge.edge_app.android.services import copying  # noqa: E402
from osteo_edge.radiograph import MAX_FILE_BYTES  # noqa: E402
from tests.java_like_android import hide_app_classes_from_workers  # noqa: E402

os.getuid = lambda: 10_123  # on Android each app is a user of its own, and other apps' files are not its

FILM = bytes(range(256)) * 4096
PNG = b"\x89PNG\r\n\x1a\n" + FILM
OK, CANCELLED = -1, 0

Device = autoclass("org.osteoedge.doubles.Device")
Contents = autoclass("org.osteoedge.doubles.Contents")
Intent = autoclass("android.content.Intent")
Uri = autoclass("android.net.Uri")
ClipData = autoclass("android.content.ClipData")
Version = autoclass("android.os.Build$VERSION")

calls: Queue[Callable[[], None]] = Queue()
heard: list[str] = []
seen: dict[str, Any] = {}


def on_file(path: Path | None) -> None:
    """What the window does with a file: look at it, and remove it."""
    if path is None:
        heard.append("nothing")
        return
    folder = path.parent.relative_to(DISK)
    heard.append(f"{folder}/{path.name} " + {FILM: "FILM", PNG: "PNG"}.get(path.read_bytes(), "OTHER"))
    path.unlink()


def on_photo(path: Path | None) -> None:
    on_file(path)
    heard[-1] = f"photo {heard[-1]}"


def on_error(line: str) -> None:
    heard.append(line)


def listen(number: int = 1, limit_s: float = 20) -> list[str]:
    """What the window hears, until it has heard `number` things."""
    while len(heard) < number:
        try:
            calls.get(timeout=limit_s)()
        except Empty:
            heard.append("silence")
    taken = heard.copy()
    heard.clear()
    return taken


def listen_to_nothing() -> list[str]:
    """What the window hears although nothing should come."""
    return listen(limit_s=0.3)


def content(uri: str, data: bytes = FILM, name: str | None = "film.dcm", **about: Any) -> str:
    """Another app's file."""
    path = DISK / "others" / str(len(list((DISK / "others").iterdir())))
    path.write_bytes(data)
    return opened(uri, os.open(path, os.O_RDONLY), name, **about)


def opened(uri: str, descriptor: int, name: str | None = "film.dcm", **about: Any) -> str:
    known = {"size": -1, "start": 0, "length": -1, "failure": None, **about}
    Contents.put(uri, name, known["size"], descriptor, known["start"], known["length"], known["failure"])
    return uri


def result(*uris: str) -> Any:
    intent = Intent()
    if len(uris) == 1:
        intent.setData(Uri.parse(uris[0]))
    elif uris:
        clip = ClipData.newRawUri("", Uri.parse(uris[0]))
        for uri in uris[1:]:
            clip.addItem(autoclass("android.content.ClipData$Item")(Uri.parse(uri)))
        intent.setClipData(clip)
    return intent


def shared(uri: str, action: str = "android.intent.action.SEND") -> Any:
    intent = Intent(action)
    intent.put("android.intent.extra.STREAM", Uri.parse(uri))
    return intent


def viewed(uri: str) -> Any:
    return Intent("android.intent.action.VIEW").setData(Uri.parse(uri))


def told(intent: Any) -> dict[str, Any]:
    """All that an intent says."""
    clip, extras = intent.getClipData(), intent.getExtras()
    stream = extras and (extras.get("output") or extras.get("android.intent.extra.STREAM"))
    return {
        "action": intent.getAction(),
        "type": intent.getType(),
        "categories": sorted(intent.getCategories().toArray()) if intent.getCategories() else [],
        "flags": intent.getFlags(),
        "clip": [clip.getItemAt(at).getUri().toString() for at in range(clip.getItemCount())] if clip else [],
        "extra": stream and stream.toString(),
    }


def left() -> list[str]:
    """Every file that the services have on the disk."""
    return sorted(str(path.relative_to(DISK)) for path in (DISK / "cache").rglob("*") if path.is_file())


def notes() -> list[str]:
    Device.settle()
    return list(Device.notes())


def services() -> Any:
    from osteo_edge.edge_app.android.services.android_services import AndroidServices

    return AndroidServices(calls.put)


def whole() -> None:
    """An app that is started by a share, and then used."""
    hidden = hide_app_classes_from_workers()
    Device.open(shared(content("content://gallery/1", PNG, "../../knee\u202e é.png")), False)
    seen["first activity"] = notes()[:1]
    lay_old_files()
    device = services()
    seen["old files"] = left()
    seen["before anyone takes what is shared"] = listen_to_nothing()
    device.on_shared(on_file, on_error, on_photo)
    seen["shared at the start"] = listen()
    seen["test wanted"] = autoclass("org.osteoedge.app.Told").isTestWanted()
    before = threads()
    choosing(device)
    photos(device)
    sharing()
    seen["threads that have not left Java"] = threads() - before
    hostile(device)
    failing(device)
    sending(device)
    looks(device)
    seen["left"] = left()
    seen["classes that only the main thread finds"] = hidden


def lay_old_files() -> None:
    for name in ("incoming/day-old.png", "incoming/fresh.png", "incoming/cut.png.partial", "incoming/model-1/a.tflite",
                 "sending/day-old.pdf", "photos/photo-1.jpg", "photos/photo-2.jpg"):  # fmt: skip
        path = DISK / "cache" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        if "day-old" in name:
            os.utime(path, (0, 0))


def choosing(device: Any) -> None:
    device.choose_picture(on_file, on_error)
    seen["picture"] = told(Device.started())
    Device.answer(7001, OK, result(content("content://picker/1", PNG, "knee.png")))
    seen["picture chosen"] = listen()

    Device.remove("android.provider.action.PICK_IMAGES")
    device.choose_picture(on_file, on_error)
    seen["picture without a picker"] = told(Device.started())
    Device.answer(7001, CANCELLED, None)
    seen["picture not chosen"] = listen()
    Device.allowAll()

    for level, extension in ((29, 9), (30, 1), (30, 2), (32, 9), (33, 0)):
        Version.SDK_INT = level
        autoclass("android.os.ext.SdkExtensions").set(extension)
        device.choose_picture(on_file, on_error)
        seen[f"picture of Android {level}, extension {extension}"] = told(Device.started())["action"]
        Device.answer(7001, CANCELLED, None)
        listen()
    Version.SDK_INT = 35

    device.choose_document(on_file, on_error)
    seen["document"] = told(Device.started())
    Device.answer(7002, OK, result(content("content://documents/1", FILM, "IM000001")))
    seen["document chosen"] = listen()

    device.choose_document(on_file, on_error)
    device.choose_document(on_file, on_error)
    seen["documents for two touches"] = Device.startedCount()
    Device.started()
    Device.answer(7002, OK, result(content("content://documents/2"), content("content://documents/3")))
    seen["several documents"] = listen(2)

    device.choose_document(on_file, on_error)
    Device.started()
    Device.answer(7002, OK, None)
    seen["a document of no content"] = listen()

    Device.remove("android.intent.action.OPEN_DOCUMENT")
    device.choose_document(on_file, on_error)
    seen["no app for documents"] = listen()
    Device.allowAll()
    seen["nothing more"] = listen_to_nothing()

    most = MAX_FILE_BYTES
    device.choose_document(on_file, on_error, most_bytes=2 * most)
    Device.started()
    Device.answer(7002, OK, result(content("content://documents/4", name="backup.zip", size=most + 1)))
    seen["a backup larger than a film"] = listen()


def photos(device: Any) -> None:
    notes()
    device.take_photo(on_file, on_error)
    asked = told(Device.started())
    (photo,) = (DISK / name for name in left() if name.startswith("cache/photos/photo-"))
    photo.write_bytes(FILM)
    Device.answer(7003, OK, None)
    taken = [*listen(), *notes()]
    seen["photo"] = json.loads(json.dumps(asked).replace(photo.name, "NAME"))
    seen["photo taken"] = [line.replace(photo.name, "NAME") for line in taken]
    device.take_photo(on_file, on_error)
    Device.started()
    Device.answer(7003, CANCELLED, None)
    seen["photo not taken"] = listen()
    device.take_photo(on_file, on_error)
    Device.started()
    Device.answer(7003, OK, None)
    seen["photo of nothing"] = listen()
    Device.remove("android.media.action.IMAGE_CAPTURE")
    device.take_photo(on_file, on_error)
    seen["no camera"] = listen()
    Device.allowAll()
    Device.forbid("android.media.action.IMAGE_CAPTURE")
    device.take_photo(on_file, on_error)
    seen["camera forbidden"] = listen()
    Device.allowAll()
    seen["photos left"] = [name for name in left() if "photos" in name]


def sharing() -> None:
    Device.newIntent(viewed(content("content://mail/1", name="knee.dcm")))
    seen["viewed"] = listen()
    Device.newIntent(shared(content("content://mail/2", name="hip.dcm")))
    seen["shared later"] = listen()
    several = shared("content://mail/2", "android.intent.action.SEND_MULTIPLE")
    streams = autoclass("java.util.ArrayList")()
    for uri in (content("content://mail/3", name="third.dcm"), content("content://mail/4", name="fourth.dcm")):
        streams.add(Uri.parse(uri))
    several.put("android.intent.extra.STREAM", streams)
    Device.newIntent(several)
    seen["several shared"] = listen(2)
    Device.newIntent(Intent("android.intent.action.MAIN"))
    seen["started again"] = listen_to_nothing()


def hostile(device: Any) -> None:
    own = "content://org.osteoedge.osteoedge.files/photos/photo-1.jpg"
    for name, uri in {
        "our provider": content(own),
        "our provider, of a user": content(own.replace("//", "//0@")),
        "a file": "file:///data/data/org.osteoedge.osteoedge/files/history.db",
        "no provider": "content:nothing",
        "no address": "\u0000",
        "our package's neighbour": content("content://org.osteoedge.osteoedgefan/1"),
    }.items():
        Device.newIntent(shared(uri))
        seen[name] = listen()
    text = Intent("android.intent.action.SEND")
    text.putExtra("android.intent.extra.STREAM", "content://mail/1")
    Device.newIntent(text)
    seen["a text"] = listen()
    nested = Intent("android.intent.action.SEND")
    nested.putExtra("android.intent.extra.STREAM", cast("android.os.Parcelable", Intent("inner")))
    Device.newIntent(nested)
    seen["an intent in the place of a file"] = listen()
    unknown = viewed(content("content://mail/5"))
    unknown.put("what", autoclass("android.os.Bundle").UNKNOWN)
    Device.newIntent(unknown)
    seen["extras of an unknown class"] = listen()
    uid, os.getuid = os.getuid, lambda: DISK.stat().st_uid
    Device.newIntent(shared(content("content://mail/6")))
    seen["our file through another app"] = listen()
    os.getuid = uid
    Device.answer(4711, OK, result(content("content://mail/7")))
    seen["an answer to nothing"] = listen_to_nothing()


def failing(device: Any) -> None:
    for refusal in ("SecurityException", "IllegalStateException", "null"):
        Contents.refuse("content://cloud/1", refusal)
        Device.newIntent(shared("content://cloud/1"))
        seen[refusal] = listen()
    Device.newIntent(shared("content://cloud/gone"))
    seen["gone"] = listen()
    Device.newIntent(shared(content("content://cloud/2", failure="the connection was lost")))
    seen["fails midway"] = listen()
    vars(copying)["STALLED_S"] = 0.2
    reader, writer = os.pipe()
    os.write(writer, b"the beginning")
    Device.newIntent(shared(opened("content://cloud/3", reader)))
    seen["stalls"] = listen()
    os.close(writer)
    Device.newIntent(shared(content("content://cloud/4", size=MAX_FILE_BYTES + 1, name="vast.dcm")))
    seen["too large"] = listen()
    Device.newIntent(shared(content("content://cloud/5", name="UnsupportedOperationException")))
    seen["undescribed"] = listen()
    Device.newIntent(shared(content("content://cloud/6", FILM * 2, start=len(FILM), length=len(FILM))))
    seen["a part of a file"] = listen()


def sending(device: Any) -> None:
    path = DISK / "report é.pdf"
    path.write_bytes(FILM)
    device.send(path, on_error)
    chooser = Device.started()
    inner = cast("android.content.Intent", chooser.getExtras().get("android.intent.extra.INTENT"))
    seen["send"] = {"chooser": told(chooser), "inner": told(inner)}
    without = chooser.getExtras().get("android.intent.extra.EXCLUDE_COMPONENTS")
    seen["send not to"] = [one.flattenToString() for one in without]
    seen["sent"] = (DISK / "cache" / "sending" / path.name).read_bytes() == FILM and not path.exists()
    device.send(DISK / "missing.pdf", on_error)
    seen["send what is missing"] = listen()
    Device.remove("android.intent.action.CHOOSER")
    path.write_bytes(FILM)
    device.send(path, on_error)
    seen["send to nobody"] = listen()


def looks(device: Any) -> None:
    notes()
    device.keep_secret(True)
    device.keep_secret(False)
    seen["secret"] = notes()
    device.announce("nobody hears")
    Device.settle()
    autoclass("android.view.accessibility.AccessibilityManager").ONLY.turn(True)
    device.announce("Screening")
    seen["announced"] = notes()
    device.on_change(lambda: heard.append("changed"))
    seen["dark by day"] = device.is_dark()
    Device.turnDark(True)
    seen["turned dark"] = [*listen(), device.is_dark()]
    Device.lay([0, 0, 1080, 2400], [0, 0, 1080, 2400])
    seen["surface"] = notes()
    for name, level, shown, keyboard in (
        ("edges", 35, [0, 0, 1080, 2400], 0),
        ("edges with a keyboard", 35, [0, 0, 1080, 2400], 900),
        ("edges of Android 29", 29, [0, 0, 1080, 2400], 0),
        ("edges of Android 24", 24, [0, 0, 1080, 2400], 0),
        ("edges of a view beside the bars", 24, [10, 63, 1060, 2274], 0),
    ):
        Version.SDK_INT = level
        Device.cover([10, 63, 20, 126], [0, 80, 40, 0], [0, 0, 0, keyboard])
        Device.lay([0, 0, 1080, 2400], shown)
        Device.settle()
        edges = device.insets()
        seen[name] = [edges.left, edges.top, edges.right, edges.bottom]
    seen["edges changed"] = listen(5)
    Device.cover([10, 63, 20, 126], [0, 80, 40, 0], [0, 0, 0, 0])
    seen["edges stayed"] = listen_to_nothing()
    seen["insets applied"] = "insets applied" in notes()


def threads() -> int:
    """How many threads Java knows of: one that has ended without leaving it counts."""
    return int(autoclass("java.lang.Thread").getAllStackTraces().size())


def ended() -> None:
    """An app whose process was ended behind the camera and a picker, and which then comes up anew."""
    lay_old_files()
    (DISK / "cache" / "photos" / "asked-for").write_text("photo-2.jpg")
    (DISK / "cache" / "photos" / "photo-2.jpg").write_bytes(FILM)
    Device.open(shared(content("content://gallery/1", PNG)), True)
    Device.answer(7003, OK, None)
    Device.answer(7001, OK, result(content("content://picker/1", PNG, "knee.png")))
    Device.newIntent(shared(content("content://gallery/2", name="second.dcm")))
    device = services()
    device.on_shared(on_file, on_error, on_photo)
    seen["told to the new process"] = sorted(listen(3))
    seen["nothing more"] = listen_to_nothing()
    Device.answer(7001, CANCELLED, None)
    Device.answer(7003, CANCELLED, None)
    seen["cancelled before"] = listen_to_nothing()
    seen["left"] = left()


def history() -> None:
    """An app that is opened from the list of recent apps, with the intent of long ago, and then as a test."""
    old = shared(content("content://gallery/1", PNG))
    old.putExtra("osteo_edge_test", True)
    old.addFlags(0x0010_0000)
    Device.open(old, False)
    told_of = autoclass("org.osteoedge.app.Told")
    seen["old test"] = told_of.isTestWanted()
    services().on_shared(on_file, on_error, on_photo)
    seen["old share"] = listen_to_nothing()
    test = Intent("android.intent.action.MAIN")
    test.putExtra("osteo_edge_test", True)
    Version.SDK_INT = 30
    Device.open(test, False)
    notes()
    Device.lay([0, 0, 1080, 2400], [0, 0, 1080, 2400])
    seen["surface of Android 30"] = notes()
    seen["test"] = told_of.isTestWanted()


def much() -> None:
    """An app to which much happens. The JVM itself counts the references that a thread holds, and says so."""
    Device.open(Intent("android.intent.action.MAIN"), False)
    device = services()
    device.on_shared(on_file, on_error, on_photo)
    for at in range(1000):
        Device.answer(4711, OK, result(f"content://mail/{at}", "content://mail/0"))
    Device.newIntent(viewed(content("content://mail/8")))
    seen["after much"] = listen()


def mistaken() -> None:
    """An app that makes a mistake of its own, and whose window closes while something comes."""
    from osteo_edge.edge_app.android.services import android_services

    Device.open(Intent("android.intent.action.MAIN"), False)
    is_closing = Event()

    def post(call: Callable[[], None]) -> None:
        if is_closing.is_set():
            is_closing.clear()
            raise RuntimeError("the window is closing")
        calls.put(call)

    device = android_services.AndroidServices(post)
    device.on_shared(on_file, on_error, on_photo)
    vars(android_services)["copy"] = lambda *_: 1 / 0
    Device.newIntent(viewed(content("content://mail/1")))
    seen["a mistake"] = listen()
    vars(android_services)["copy"] = copying.copy
    is_closing.set()
    Device.newIntent(viewed(content("content://mail/2")))
    seen["while the window closes"] = listen_to_nothing()
    Device.newIntent(viewed(content("content://mail/3")))
    seen["the thread that listens goes on"] = listen()
    (DISK / "cache" / "photos").touch()
    device.take_photo(on_file, on_error)
    seen["no room for a photo"] = listen()
    (DISK / "cache" / "photos").unlink()
    device.take_photo(on_file, on_error)
    seen["room for a photo"] = Device.startedCount()


(DISK / "others").mkdir(parents=True)
{"whole": whole, "ended": ended, "history": history, "much": much, "mistaken": mistaken}[STORY]()
sys.stdout.write(json.dumps(seen))
sys.stdout.flush()
os._exit(0)  # the thread that listens to the system waits in Java
