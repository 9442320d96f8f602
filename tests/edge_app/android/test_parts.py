import gzip
import py_compile
import shutil
import tarfile
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.parts import GPU, ONCE, PER_ARCH, Prediction, compressed_bytes, predict
from osteo_edge.edge_app.android.spec import Project
from osteo_edge.edge_app.android.versions import ARCHS


def test_the_apk_is_what_its_parts_come_to(staged_project: Path) -> None:
    one, three = (predict(staged_project, Project(archs=archs)) for archs in (ARCHS[:1], ARCHS))
    per_arch, once = sum(part.megabytes for part in PER_ARCH), sum(part.megabytes for part in ONCE)
    assert one.apk_mb == pytest.approx(per_arch + once + one.app_mb)
    assert three.apk_mb - one.apk_mb == pytest.approx(2 * per_arch)
    assert three.download_mb == one.apk_mb


def test_our_own_part_is_compiled_and_compressed_as_a_build_does_it(staged_project: Path, tmp_path: Path) -> None:
    assert 0.8 < predict(staged_project, Project()).app_mb < 4
    (tmp_path / "a.py").write_text('"""A docstring that a build leaves out."""\n' + "x = 1\n" * 100, "utf-8")
    small = compressed_bytes(tmp_path)
    (tmp_path / "a.py").write_text('"""Another, much longer one."""\n' + "x = 1\n" * 100, "utf-8")
    assert compressed_bytes(tmp_path) == small


def test_every_part_says_where_its_number_comes_from() -> None:
    assert all(part.source and part.megabytes > 0 for part in (*PER_ARCH, GPU, *ONCE))


def test_the_skeletons_archive_is_as_large_as_predicted(staged_project: Path, tmp_path: Path) -> None:
    """Held to an archive that is written the way python-for-android writes it."""

    app = Path(shutil.copytree(staged_project / "app", tmp_path / "app"))
    for path in list(app.rglob("*.py")):
        py_compile.compile(str(path), str(path.with_suffix(".pyc")), doraise=True, optimize=2)
        path.unlink()
    with gzip.GzipFile(tmp_path / "private.tar", "wb", mtime=0) as packed, tarfile.open(None, "w", packed) as archive:
        archive.add(app, ".")
    written = (tmp_path / "private.tar").stat().st_size
    assert compressed_bytes(staged_project / "app") == pytest.approx(written, rel=0.05)


def test_a_prediction_without_processors_is_the_rest() -> None:
    assert Prediction(0, 2.0).apk_mb == pytest.approx(2.0 + sum(part.megabytes for part in ONCE))


def test_the_gpu_delegate_is_a_part_of_its_own(staged_project: Path) -> None:
    without = predict(staged_project, Project(archs=ARCHS[:1]))
    with_it = predict(staged_project, Project(archs=ARCHS[:1], with_gpu=True))
    assert with_it.apk_mb - without.apk_mb == pytest.approx(GPU.megabytes)
