"""Make the JVM of this process treat threads as Android does."""

import ctypes
import os
import threading
from pathlib import Path
from typing import Any

SYSTEM = (b"java/", b"javax/", b"android/", b"dalvik/")
GET_ENVIRONMENT, FIND_CLASS = 6, 6
"""Their places in JNI's tables of functions: of a JVM, and of a thread's environment (jni.h)."""
JNI_1_6 = 0x00010006

_kept: list[Any] = []
_found: list[str] = []


def classes_found_by_workers() -> int:
    """How many times threads other than the main one have found a class since `hide_app_classes_from_workers`.

    Each time leaves a reference behind, if pyjnius does not delete it; a thread of Android 7 holds 512 of them.
    """
    return len(_found)


def hide_app_classes_from_workers() -> list[str]:
    """From now on only Python's main thread finds classes that are not the system's; what others ask for, as it grows.

    On Android, JNI's FindClass asks the class loader of the Java method that is running, and a thread that Python
    started has none: it sees the system's classes and no class of the app. A JVM on a desktop finds them all.
    """
    slot = _slot(_environment(), FIND_CLASS)
    original = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(slot.value or 0)
    asked: list[str] = []

    def find(environment: int, name: bytes) -> Any:
        if threading.current_thread() is threading.main_thread():
            return original(environment, name)
        if name.startswith(SYSTEM):
            _found.append(name.decode())
            return original(environment, name)
        asked.append(name.decode())
        return original(environment, b"hidden/" + name)  # there is none: it throws, as on Android

    replacement = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(find)
    _kept.extend((replacement, original))
    slot.value = ctypes.cast(replacement, ctypes.c_void_p).value
    return asked


def _environment() -> int:
    """The address of this thread's JNI environment, in the JVM that pyjnius has started."""
    library = ctypes.CDLL(str(Path(os.environ["JAVA_HOME"], "lib", "server", "libjvm.so")))
    machine, count, environment = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_void_p()
    library.JNI_GetCreatedJavaVMs(ctypes.byref(machine), 1, ctypes.byref(count))
    if count.value != 1 or machine.value is None:
        raise RuntimeError("pyjnius has started no JVM")
    get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)(
        _slot(machine.value, GET_ENVIRONMENT).value or 0
    )
    get(machine, ctypes.byref(environment), JNI_1_6)
    return environment.value or 0


def _slot(interface: int, place: int) -> ctypes.c_void_p:
    """One pointer of the table that an interface points to."""
    table = ctypes.c_void_p.from_address(interface).value or 0
    return ctypes.c_void_p.from_address(table + place * ctypes.sizeof(ctypes.c_void_p))
