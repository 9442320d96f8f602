"""A connection to a history's database, encrypted or not: one kind of connection and of errors for both."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from osteo_edge.edge_app.history.encrypted import PAGE_BYTES
from osteo_edge.edge_app.history.vault import Keys, VaultError, require_library

PAGES: Final = {"cipher_page_size": str(PAGE_BYTES), "cipher_hmac_algorithm": "HMAC_SHA256"}
"""How SQLCipher lays out its pages: with its own 4 KiB and SHA-512 opening and saving takes longer by a tenth."""

NOT_ITSELF: Final = (
    "SQLCipher finds another SQLite in its place, which cannot encrypt; nothing was opened, start the program anew"
)

Module: TypeAlias = Any
"""`sqlcipher3.dbapi2`, which is made like `sqlite3`."""


def connect(path: Path, keys: Keys | None = None, *, named: bool = False, **options: Any) -> sqlite3.Connection:
    """Connect to the database `path`, with SQLCipher if there are `keys`; `options` are those of `sqlite3.connect`.

    `named` rows give their columns by name. What SQLCipher raises comes as `sqlite3` would raise it. A wrong key is not
    told from damage here: whoever has keys out of the vault knows that they are right. `VaultError` where SQLCipher is
    not installed.
    """
    if keys is None:
        plain: sqlite3.Connection = sqlite3.connect(path, **options)
        plain.row_factory = sqlite3.Row if named else None
        return plain
    connection = _connect_sqlcipher(path, keys, options)
    connection.row_factory = _sqlcipher()[0].Row if named else None
    return connection


def export_database(source: Path, before: Keys | None, target: Path, after: Keys | None) -> None:
    """Copy a database into a new file `target`, which the keys `after` open; None for one that is not encrypted.

    What others have committed is in it, and nobody may write meanwhile.
    """
    with closing(_connect_sqlcipher(source, before, {"isolation_level": None})) as connection:
        connection.execute("ATTACH ? AS target KEY ?", (str(target), "" if after is None else _raw(after)))
        if after is not None:
            for setting, value in PAGES.items():
                connection.execute(f"PRAGMA target.{setting} = {value}").fetchall()
        connection.execute("SELECT sqlcipher_export('target')").fetchall()
        version = connection.execute("PRAGMA main.user_version").fetchone()[0]
        connection.execute(f"PRAGMA target.user_version = {version}").fetchall()
        connection.execute("DETACH target")


def _connect_sqlcipher(path: Path, keys: Keys | None, options: dict[str, Any]) -> sqlite3.Connection:
    require_library()
    module, factory = _sqlcipher()
    with _as_sqlite3(module):
        connection = module.connect(str(path), factory=factory, **options)
        if not connection.execute("PRAGMA cipher_version").fetchall():
            connection.close()
            raise VaultError(NOT_ITSELF)
        connection.execute("PRAGMA cipher_log_level = NONE").fetchall()  # else it writes to standard error
        if keys is not None:
            connection.execute(f'PRAGMA key = "{_raw(keys)}"').fetchall()
            for setting, value in PAGES.items():
                connection.execute(f"PRAGMA {setting} = {value}").fetchall()
    return cast(sqlite3.Connection, connection)


def _raw(keys: Keys) -> str:
    """The key as SQLCipher wants one that it need not derive."""
    return f"x'{keys.database.hex()}'"


@cache
def _sqlcipher() -> tuple[Module, type[Any]]:
    """SQLCipher's module, and its connection as one that raises what `sqlite3` does."""
    with _preferring_its_own_symbols():
        from sqlcipher3 import dbapi2

    class Cursor(dbapi2.Cursor):  # type: ignore[misc]
        def execute(self, *arguments: Any) -> Any:
            with _as_sqlite3(dbapi2):
                return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            with _as_sqlite3(dbapi2):
                return super().executemany(*arguments)

        def fetchone(self) -> Any:
            with _as_sqlite3(dbapi2):
                return super().fetchone()

        def fetchall(self) -> Any:
            with _as_sqlite3(dbapi2):
                return super().fetchall()

        def __next__(self) -> Any:
            with _as_sqlite3(dbapi2):
                return super().__next__()

    class Connection(dbapi2.Connection):  # type: ignore[misc]
        def cursor(self, factory: type[Any] = Cursor) -> Any:
            with _as_sqlite3(dbapi2):
                return super().cursor(factory)

        def backup(self, target: Any, **options: Any) -> None:
            with _as_sqlite3(dbapi2):
                super().backup(target, **options)

    return dbapi2, Connection


@contextmanager
def _preferring_its_own_symbols() -> Iterator[None]:
    """Libraries loaded here use their own functions first.

    TensorFlow gives its SQLite, which cannot encrypt, to every library that is loaded after it.
    """
    if not hasattr(os, "RTLD_DEEPBIND"):
        yield
        return
    before = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
    try:
        yield
    finally:
        sys.setdlopenflags(before)


@contextmanager
def _as_sqlite3(module: Module) -> Iterator[None]:
    try:
        yield
    except module.Error as error:
        same: type[sqlite3.Error] = getattr(sqlite3, type(error).__name__, sqlite3.DatabaseError)
        raise same(*error.args) from error
