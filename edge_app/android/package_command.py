"""`osteo-edge package android`: a buildozer project with the program and a model, and what builds it."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osteo_edge.cli import EXIT_FAILED
from osteo_edge.console import progress, show_json, show_table
from osteo_edge.edge_app.android.packable import MAX_MB
from osteo_edge.edge_app.android.spec import Project, problem_of_id, version_code
from osteo_edge.edge_app.android.versions import ARCHS, DEFAULT_ARCHS, PACKAGE_ID
from osteo_edge.finite_range import FiniteRange
from osteo_edge.version import VERSION

if TYPE_CHECKING:
    from osteo_edge.edge_app.android.build_plan import BuildPlan


def _package_id(ctx: click.Context, param: click.Parameter, value: str) -> str:
    problem = problem_of_id(value)
    if problem is not None:
        raise click.BadParameter(problem)
    return value


@click.command(short_help="An Android project, or the app itself.")
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The project's new folder.")
@click.option(
    "--arch",
    "archs",
    type=click.Choice(ARCHS),
    multiple=True,
    default=DEFAULT_ARCHS,
    show_default=True,
    help="For which processors; may be given more than once. x86_64 is for emulators.",
)
@click.option(
    "--package-id",
    callback=_package_id,
    default=PACKAGE_ID,
    show_default=True,
    help="The id by which Android tells this app from others.",
)
@click.option(
    "--max-bundle-mb",
    type=FiniteRange(0, min_open=True),
    default=MAX_MB,
    show_default=True,
    help="Refuse a bundle that is larger.",
)
@click.option("--gpu", is_flag=True, help="Build the GPU delegate in; the app tries it beside the processor.")
@click.option(
    "--trusted-key",
    "trusted",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="A public key: the app uses only models that one of these has signed. May be given more than once.",
)
@click.option("--build", "does_build", is_flag=True, help="Also build it: an APK to try. Takes hours the first time.")
@click.option("--release", "is_release", is_flag=True, help="With --build: an AAB for a store, signed with your key.")
@click.option("--accept-sdk-license", is_flag=True, help="With --build: accept Google's licence of the Android SDK.")
@click.option("--sdk", type=click.Path(path_type=Path), help="An Android SDK that is there [default: buildozer's].")
@click.option("--ndk", type=click.Path(path_type=Path), help="An Android NDK that is there [default: buildozer's].")
@click.option(
    "--build-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --build or --check: where the compiled is kept for the next build [default: in the project].",
)
@click.option("--check", is_flag=True, help="Only tell what a build needs, and what of it is missing here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def android(
    ctx: click.Context,
    bundle: Path | None,
    out: Path | None,
    archs: tuple[str, ...],
    package_id: str,
    max_bundle_mb: float,
    gpu: bool,
    trusted: tuple[Path, ...],
    does_build: bool,
    is_release: bool,
    accept_sdk_license: bool,
    sdk: Path | None,
    ndk: Path | None,
    build_dir: Path | None,
    check: bool,
    as_json: bool,
) -> None:
    """Stage a project that buildozer makes an Android app of: the program, all it needs, and the model in BUNDLE.

    The project is a folder, complete or not there at all; its README says how it is built. With --build that is done
    here. A release wants a key, named by P4A_RELEASE_KEYSTORE, P4A_RELEASE_KEYSTORE_PASSWD, P4A_RELEASE_KEYALIAS and
    P4A_RELEASE_KEYALIAS_PASSWD in the environment.

    The model must have passed its check after conversion, and answer a drawn film. The size of the app is predicted
    from its parts; none is measured before it is built.

    \b
    Example:
      osteo-edge package android knee-int8 --out knee-android
      osteo-edge package android knee-int8 --out /b --arch x86_64 --build
      osteo-edge package android --check
    """
    if is_release and not does_build:
        raise click.UsageError("--release goes with --build")
    from osteo_edge.edge_app.android import build_checks
    from osteo_edge.edge_app.android.build_plan import BuildPlan

    project = Project(package_id, tuple(dict.fromkeys(archs)), gpu)
    environ = dict(os.environ)  # as it is: OpenCV, which staging loads, puts folders of its own into it
    plan = BuildPlan(is_release, accept_sdk_license, sdk, ndk, build_dir)
    if check:
        checks = build_checks.run_checks(out or Path.cwd(), project.archs, environ, plan)
        _tell_checks(ctx, checks, as_json)
        return
    if bundle is None or out is None:
        raise click.UsageError("name a BUNDLE, and a folder with --out; or --check")
    if does_build:
        _require_buildable(out, project, environ, plan)
    found = _stage(bundle, out, project, max_bundle_mb, trusted)
    built = _build(out, environ, plan) if does_build else None
    if as_json:
        show_json(found | {"built": None if built is None else str(built)})
        return
    _tell(out, found)
    if built is not None:
        click.echo(f"{built}: {built.stat().st_size / 1e6:.1f} MB, built here; not tried on a phone")


def _tell_checks(ctx: click.Context, checks: Any, as_json: bool) -> None:
    if as_json:
        show_json([asdict(check) for check in checks])
    else:
        rows = [("yes" if each.is_right else "no", each.name, each.found) for each in checks]
        show_table("What a build for Android needs", ("", "What", "Found"), rows, red={"no"})
        for each in checks:
            if not each.is_right:
                click.echo(f"{each.name}: {each.remedy}")
    ctx.exit(0 if all(each.is_right for each in checks) else EXIT_FAILED)


def _require_buildable(out: Path, project: Project, environ: dict[str, str], plan: "BuildPlan") -> None:
    """Everything that can be known to be missing, before anything long is started."""
    from osteo_edge.edge_app.android import build_checks, signing

    build_checks.require_buildable(build_checks.run_checks(out, project.archs, environ, plan))
    if plan.is_release:
        signing.try_key(signing.find_key(environ, out), environ)
    build_checks.require_license(plan)
    build_checks.require_sdk_host(plan)


def _stage(bundle: Path, out: Path, project: Project, max_mb: float, trusted: tuple[Path, ...]) -> dict[str, Any]:
    from osteo_edge.edge_app.android.parts import ONCE, predict
    from osteo_edge.edge_app.android.staging import stage

    with progress("the project") as advance:
        staged = stage(
            bundle,
            out,
            project,
            max_mb=max_mb,
            trusted=trusted,
            on_progress=lambda stage, done, total: advance(done, total, stage=stage),
        )
    predicted = predict(out, project)
    return {
        "project": str(out),
        "package_id": project.package_id,
        "archs": project.archs,
        "gpu": project.with_gpu,
        "trusted_keys": len(trusted),
        "version": VERSION,
        "version_code": version_code(VERSION),
        "bundle": staged.bundle,
        "score": staged.score,
        "program_bytes": staged.program_bytes,
        "bundle_bytes": staged.bundle_bytes,
        "app_bytes": staged.app_bytes,
        "predicted_mb": {
            "apk": round(predicted.apk_mb, 1),
            "download": round(predicted.download_mb, 1),
            "app": round(predicted.app_mb, 2),
            "per_arch": [asdict(part) for part in predicted.per_arch],
            "once": [asdict(part) for part in ONCE],
        },
    }


def _build(out: Path, environ: dict[str, str], plan: "BuildPlan") -> Path:
    from osteo_edge.edge_app.android.build import build

    return build(out, environ, plan, on_line=lambda line: click.echo(line, err=True))


def _tell(out: Path, found: dict[str, Any]) -> None:
    predicted = found["predicted_mb"]
    click.echo(f"{out}: {found['package_id']} {VERSION} with {found['bundle']}, for {', '.join(found['archs'])}")
    click.echo(
        f"  {found['app_bytes'] / 1e6:.1f} MB without Python: the program {found['program_bytes'] / 1e6:.1f} MB, "
        f"the model {found['bundle_bytes'] / 1e6:.1f} MB"
    )
    click.echo(
        f"  predicted from its parts, not measured: an APK of about {predicted['apk']:.0f} MB, "
        f"of which a store sends {predicted['download']:.0f} MB to a phone"
    )
    click.echo(f"To build it: {out / 'README.md'}, or --build; --check tells what is missing here")
