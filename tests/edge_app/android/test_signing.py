import os
import shutil
import subprocess
from pathlib import Path

import pytest

from osteo_edge.edge_app.android import signing
from osteo_edge.edge_app.android.signing import (
    ALIAS,
    ALIAS_PASSWORD,
    KEYSTORE,
    KEYSTORE_PASSWORD,
    Key,
    find_key,
    try_key,
)
from osteo_edge.errors import OsteoEdgeError

PASSWORD = "not the password of anything"


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("keytool") is None:
        pytest.skip("no keytool: apt-get install openjdk-17-jdk-headless")
    path = tmp_path_factory.mktemp("keys") / "clinic.keystore"
    words = ["-genkeypair", "-keystore", str(path), "-alias", "clinic", "-keyalg", "EC", "-dname", "CN=clinic"]
    passwords = ["-storepass:env", "STORE", "-keypass:env", "STORE"]
    environ = os.environ | {"STORE": PASSWORD}
    subprocess.run(["keytool", *words, *passwords], check=True, capture_output=True, timeout=120, env=environ)
    return path


def environment(keystore: Path, **other: str) -> dict[str, str]:
    told = {KEYSTORE: str(keystore), KEYSTORE_PASSWORD: PASSWORD, ALIAS: "clinic", ALIAS_PASSWORD: PASSWORD}
    kept = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    return kept | told | other


def test_the_key_of_the_environment_signs(keystore: Path, tmp_path: Path) -> None:
    key = find_key(environment(keystore), tmp_path)
    assert key == Key(keystore, "clinic")
    before = keystore.read_bytes()
    try_key(key, environment(keystore))
    assert keystore.read_bytes() == before
    assert [path.name for path in keystore.parent.iterdir()] == [keystore.name]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({KEYSTORE_PASSWORD: "wrong one"}, "password was incorrect"),
        ({ALIAS: "nobody"}, "Alias <nobody> does not exist"),
    ],
)
def test_a_key_that_does_not_fit_is_one_line_without_its_password(
    keystore: Path, tmp_path: Path, other: dict[str, str], reason: str
) -> None:
    environ = environment(keystore, **other)
    with pytest.raises(OsteoEdgeError) as raised:
        try_key(find_key(environ, tmp_path), environ)
    line = str(raised.value)
    assert line.startswith(f"{keystore}: the key ")
    assert reason in line
    assert "\n" not in line
    assert PASSWORD not in line
    assert "wrong one" not in line


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError) as raised:
        find_key({KEYSTORE: "key", ALIAS: "clinic", KEYSTORE_PASSWORD: ""}, tmp_path)
    assert str(raised.value) == (
        "a release is signed: set P4A_RELEASE_KEYSTORE_PASSWD and P4A_RELEASE_KEYALIAS_PASSWD in the environment"
    )


def test_a_key_inside_the_project_is_refused_through_a_link_too(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (project / "key").write_bytes(b"key")
    (outside / "link").symlink_to(project / "key")
    for path in (project / "key", outside / "link"):
        with pytest.raises(OsteoEdgeError, match="lies in the project, which is handed on; keep it elsewhere"):
            find_key(environment(path), project)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="no key that can be read"):
        find_key(environment(tmp_path / "none"), tmp_path / "project")


def test_no_keytool(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="no keytool to try the key with"):
        try_key(Key(tmp_path / "key", "clinic"), {"PATH": "/nowhere"})


@pytest.mark.parametrize(
    ("content", "reason"), [("#!/bin/sh\nsleep 60\n", "no answer within 0.2 s"), ("\x7fELF", "Exec format error")]
)
def test_a_keytool_that_does_not_run_is_one_line(
    content: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keytool = tmp_path / "bin" / "keytool"
    keytool.parent.mkdir()
    keytool.write_text(content)
    keytool.chmod(0o755)
    monkeypatch.setattr(signing, "TRIES_S", 0.2)
    with pytest.raises(OsteoEdgeError, match=reason):
        try_key(Key(tmp_path / "key", "clinic"), {"JAVA_HOME": str(tmp_path), "PATH": os.defpath})


def test_a_keytool_that_asks_for_a_password_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keytool = tmp_path / "bin" / "keytool"
    keytool.parent.mkdir()
    keytool.write_text("#!/bin/sh\nread password || echo 'error: Exception: nobody answers'\nexit 1\n")
    keytool.chmod(0o755)
    reading, writing = os.pipe()
    kept = os.dup(0)
    os.dup2(reading, 0)  # a terminal at which nobody types
    try:
        monkeypatch.setattr(signing, "TRIES_S", 5)
        with pytest.raises(OsteoEdgeError, match="nobody answers"):
            try_key(Key(tmp_path / "key", "clinic"), {"JAVA_HOME": str(tmp_path), "PATH": os.defpath})
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, reading, writing):
            os.close(descriptor)
