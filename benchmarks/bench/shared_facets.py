"""What all variants of a bundle have in common is measured once, with the first of them."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from osteo_edge.benchmarks.bench.candidates import Candidate
from osteo_edge.benchmarks.bench.gaps import Gaps
from osteo_edge.benchmarks.bench.job import Job
from osteo_edge.benchmarks.emulation.host import available
from osteo_edge.benchmarks.emulation.instructions import count_instructions
from osteo_edge.benchmarks.emulation.screenings import count_screening
from osteo_edge.benchmarks.facets.energy import inferences, measure_energy
from osteo_edge.benchmarks.facets.energy_meters import open_energy_meter
from osteo_edge.benchmarks.facets.graph_work import count_work
from osteo_edge.benchmarks.facets.model_size import measure_size
from osteo_edge.benchmarks.facets.placing import measure_placement
from osteo_edge.benchmarks.facets.stages import COLD_RUNS, DRAWN, RUNS, draw_film, measure_stages
from osteo_edge.benchmarks.measuring.results import Energy, Instructions, Placement, ScreeningInstructions, Size, Stages
from osteo_edge.console import Advance

QUICK_RUNS, QUICK_COLD_RUNS = 10, 3


class SharedFacets:
    """Measures a bundle beyond its speed, by its first variant; what this machine cannot tell at all is said once."""

    def __init__(self, job: Job, gaps: Gaps, on_progress: Advance) -> None:
        self._job, self._gaps, self._on_progress = job, gaps, on_progress
        self._meter = open_energy_meter()
        if isinstance(self._meter, str):
            gaps.add("all variants", "energy", self._meter)
        self._no_emulation = available() if job.cpus else None
        if self._no_emulation is not None:
            gaps.add("all variants", "instructions", self._no_emulation)

    def size_and_placement(self, candidate: Candidate) -> tuple[Size | None, Placement | None]:
        """Both counted in the model's graph, which is read once."""
        bundle, name = candidate.bundle, candidate.variant.name
        self._tell(candidate, "size and placement")
        work = self._gaps.attempt(name, "size and placement", partial(count_work, bundle.model_path))
        if work is None:
            return None, None
        placed = partial(measure_placement, bundle, threads=candidate.spec.threads, work=work)
        return (
            self._gaps.attempt(name, "size", partial(measure_size, bundle, work)),
            self._gaps.attempt(name, "placement", placed),
        )

    def stages(self, candidate: Candidate) -> Stages | None:
        """The steps from a file to an answer."""
        is_quick, steps = self._job.is_quick, "steps from file to answer"
        self._tell(candidate, steps)
        work = partial(
            measure_stages,
            candidate.bundle,
            self._job.image,
            threads=candidate.spec.threads,
            runs=QUICK_RUNS if is_quick else RUNS,
            cold_runs=QUICK_COLD_RUNS if is_quick else COLD_RUNS,
            on_progress=partial(self._tell, candidate, steps),
        )
        return self._gaps.attempt(candidate.variant.name, "stages", work)

    def energy(self, candidate: Candidate) -> Energy | None:
        """Of one inference, where this machine has a counter."""
        meter = self._meter
        if isinstance(meter, str):
            return None
        self._tell(candidate, "energy")
        spec, given = candidate.spec, candidate.bundle.manifest.input
        return self._gaps.attempt(
            candidate.variant.name, "energy", lambda: measure_energy(meter, inferences(spec, given))
        )

    def instructions(self, candidate: Candidate) -> tuple[Instructions, ...] | None:
        """On every processor that is to be emulated; None where there is none, or none could be."""
        if self._no_emulation is not None:
            return None
        bundle, name = candidate.bundle, candidate.variant.name
        found = []
        for cpu in self._job.cpus:
            work = partial(
                count_instructions,
                bundle.model_path,
                cpu,
                precision=bundle.manifest.model.precision,
                on_progress=lambda note: self._tell(candidate, note),
            )
            counted = self._gaps.attempt(name, f"instructions on {cpu}", work)
            found += [] if counted is None else [counted]
        return tuple(found) or None

    def screenings(
        self, candidate: Candidate, inferences: tuple[Instructions, ...] | None
    ) -> tuple[ScreeningInstructions, ...] | None:
        """Of whole processes, on every processor that the inference was counted on, for the film of the steps."""
        found = []
        with tempfile.TemporaryDirectory(prefix="osteo-edge-film-") as folder:
            draw = cache(partial(draw_film, Path(folder)))
            for inference in inferences or ():
                work = partial(self._count_screening, candidate, inference, draw)
                what = f"instructions of screenings on {inference.cpu}"
                counted = self._gaps.attempt(candidate.variant.name, what, work)
                found += [] if counted is None else [counted]
        return tuple(found) or None

    def _count_screening(
        self, candidate: Candidate, inference: Instructions, draw: Callable[[], Path]
    ) -> ScreeningInstructions:
        image = self._job.image
        tell = partial(self._tell, candidate)
        found = count_screening(candidate.bundle, draw() if image is None else image, inference, on_progress=tell)
        return replace(found, image=DRAWN) if image is None else found

    def _tell(self, candidate: Candidate, what: str, done: int = 0, total: int = 1) -> None:
        self._on_progress(done, total, f"{candidate.variant.name}: {what}", "details")
