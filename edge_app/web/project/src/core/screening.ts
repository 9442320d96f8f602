/** The whole screening flow: the bytes of a file in, an answer out, with its reasons and what it took. */

import type { Bundle } from "./bundle";
import { calibrated, decide, scoreOf } from "./decision";
import { decode } from "./decode/radiograph";
import type { Radiograph } from "./decode/radiograph";
import { evidenceOf } from "./evidence";
import { unfamiliar } from "./familiarity";
import { kneeRejections, rejections } from "./gate";
import { greyPng } from "./grey_png";
import { openTemplate } from "./knee_template";
import type { KneeTemplate } from "./knee_template";
import type { Layout } from "./layout";
import { findingOf, findingsOf } from "./manifest";
import type { Head } from "./manifest";
import { linesOf } from "./messages";
import type { Line } from "./messages";
import { greyPicture } from "./overlay";
import { layOut, normalized, toPlane } from "./preprocessing";
import { meanAndDeviation } from "./raster/statistics";
import { fixed } from "./rounding";
import { doubt, givenBone, route, routeWords } from "./routing";
import type { Interpreter, Prediction } from "./runtime";
import type { Finding, GreyPicture, LabelProbability, Outcome, Plane, Screening, Severity } from "./types";

/** What a model gave for one film; or why the film must not be answered. */
interface Reading {
  readonly rejected: readonly string[];
  readonly layout: Layout | null;
  readonly prediction: Prediction | null;
}

/** An answer by the words of the one bundle; what only a model that answered gives is left out where none did. */
interface Answer {
  readonly outcome: Outcome;
  readonly finding: Finding;
  readonly reasons: readonly string[];
  readonly bone?: string;
  readonly probabilities?: readonly LabelProbability[];
  readonly score?: number;
  readonly map?: Plane | null;
  readonly severity?: Severity | null;
}

/** Screens one film after another by one bundle. */
export class FilmScreener {
  private readonly line: Line;
  private readonly template: KneeTemplate;

  constructor(
    private readonly bundle: Bundle,
    private readonly interpreter: Interpreter,
  ) {
    this.line = linesOf(bundle.shared.messages);
    this.template = openTemplate(bundle.shared);
  }

  /**
   * The answer for a file; ScreeningError for what is no readable radiograph.
   *
   * A model that tells bones apart believes the user who names the `bone`; RangeError if it does not know it.
   */
  async screen(bytes: Uint8Array, name: string, bone: string | null): Promise<Screening> {
    const stageMs: Record<string, number> = {};
    const film = await timed(stageMs, "read", () => this.decoded(bytes, name));
    const reading = await this.read(film, stageMs);
    const { layout, prediction } = reading;
    const answer =
      layout && prediction
        ? await timed(stageMs, "map", () => this.answer(film, prediction, layout, bone))
        : this.rejection(reading.rejected, bone);
    return this.screening(film, name, answer, layout, stageMs);
  }

  /** The film of a file as it is shown, without an answer. */
  async picture(bytes: Uint8Array, name: string): Promise<GreyPicture> {
    return greyPicture((await this.decoded(bytes, name)).pixels, this.bundle.shared.overlay.maxSidePx);
  }

  /** The film of a file as it is kept: a PNG file of the same grey, which says nothing of the patient. */
  async grey(bytes: Uint8Array, name: string): Promise<Uint8Array<ArrayBuffer>> {
    return greyPng((await this.decoded(bytes, name)).pixels);
  }

  private decoded(bytes: Uint8Array, name: string): Promise<Radiograph> {
    const { shared } = this.bundle;
    const { limits, transferSyntaxes } = shared;
    return decode(bytes, name, shared, { limits, transferSyntaxes, line: this.line });
  }

  private async read(film: Radiograph, stageMs: Record<string, number>): Promise<Reading> {
    const { manifest, statistics } = this.bundle;
    const metalCounts = findingsOf(manifest).includes("abnormality");
    const unfit = await timed(stageMs, "check", () => this.unfit(film, metalCounts));
    if (unfit.length) {
      return { rejected: unfit, layout: null, prediction: null };
    }
    const { layout, tensor } = await timed(stageMs, "prepare", () => this.prepared(film.pixels));
    const kneeless = kneeRejections(layout, this.line);
    if (kneeless.length) {
      return { rejected: kneeless, layout, prediction: null };
    }
    const prediction = await timed(stageMs, "infer", () => this.interpreter.run(tensor));
    const strange = unfamiliar(prediction.embedding, statistics, manifest, this.line);
    return { rejected: strange, layout, prediction: strange.length ? null : prediction };
  }

  private unfit(film: Radiograph, metalCounts: boolean): string[] {
    const { manifest, shared } = this.bundle;
    return rejections(film, manifest.gate, shared, this.line, metalCounts);
  }

  private prepared(pixels: Plane): { layout: Layout; tensor: Float32Array } {
    const { manifest, shared } = this.bundle;
    const layout = layOut(pixels, manifest.input, this.template);
    const canvas = toPlane(pixels, manifest.input, layout, shared.stretchPercentiles);
    return { layout, tensor: normalized(canvas, manifest.input) };
  }

  private answer(film: Radiograph, prediction: Prediction, layout: Layout, bone: string | null): Answer {
    const { manifest } = this.bundle;
    const probabilities = calibrated(prediction.logits, manifest.calibration.temperature);
    if (!manifest.router) {
      return this.decided(probabilities, prediction, layout, null);
    }
    const chosen = route(probabilities, manifest, bone);
    const unclear = bone === null ? doubt(probabilities, manifest, this.line) : null;
    if (chosen === null || unclear !== null) {
      const reasons = [unclear ?? this.line("the model gave no number")];
      return { outcome: "uncertain", finding: findingOf(manifest, bone), reasons };
    }
    const unfit = this.unfitForDensity(film, chosen.head);
    if (unfit.length) {
      return this.rejection(unfit, bone);
    }
    const given = givenBone(probabilities, chosen.head, manifest);
    const answer = this.decided(given, prediction, layout, chosen.head);
    return { ...answer, bone: chosen.head.bone, reasons: [routeWords(chosen, this.line), ...answer.reasons] };
  }

  /** What the head of the film's bone answers, by the probabilities given that bone, or a model of one question. */
  private decided(given: Float64Array, prediction: Prediction, layout: Layout, head: Head | null): Answer {
    const { manifest, shared } = this.bundle;
    const { decision } = head ?? manifest;
    const valueOf = (label: string) => given[manifest.labels.indexOf(label)]!;
    const probabilities = decision.positive_labels.map((label) => ({ label, value: valueOf(label) }));
    const score = scoreOf(probabilities);
    const { outcome, reason } = decide(score, decision, this.line);
    const severity = outcome === "refer" ? severityOf(prediction, shared.wording.severities) : null;
    const map = evidenceOf(prediction, manifest, layout, shared.overlay.evidenceSidePx, head);
    const finding = findingOf(manifest, head?.bone);
    return { outcome, finding, reasons: [reason], probabilities, score, map, severity };
  }

  /** Why the film must not be asked about bone density by this head, where a model may be shown metal, too. */
  private unfitForDensity(film: Radiograph, head: Head): string[] {
    const isAskedForMore = findingsOf(this.bundle.manifest).length > 1;
    return isAskedForMore && head.finding === "density" ? this.unfit(film, false) : [];
  }

  private rejection(reasons: readonly string[], bone: string | null): Answer {
    return { outcome: "rejected", finding: findingOf(this.bundle.manifest, bone), reasons };
  }

  private screening(
    film: Radiograph,
    name: string,
    answer: Answer,
    layout: Layout | null,
    stageMs: Record<string, number>,
  ): Screening {
    const { manifest, shared } = this.bundle;
    const { outcome, finding, reasons, bone = null, severity = null } = answer;
    const advice = shared.wording.advice[finding][outcome];
    const grade = severity ? [this.line("unsupervised grade: ", { severity })] : [];
    const { mean, deviation } = meanAndDeviation(film.pixels.data);
    return {
      outcome,
      finding,
      bone,
      headline: shared.wording.headlines[finding][outcome],
      advice,
      notes: [...reasons, advice, ...grade],
      warnings: [],
      reasons,
      probabilities: answer.probabilities ?? [],
      score: answer.score ?? null,
      severity,
      intendedUse: manifest.intended_use,
      name,
      imageSha256: film.sha256,
      imageStats: { mean: Number(fixed(mean, 4)), contrast: Number(fixed(deviation, 4)) },
      modelSha256: manifest.model.sha256,
      takenAt: new Date().toISOString().replace(/\.\d+Z$/, "+00:00"),
      runtime: "LiteRT.js",
      stageMs,
      format: film.format,
      film: { height: film.pixels.height, width: film.pixels.width },
      picture: greyPicture(film.pixels, shared.overlay.maxSidePx),
      crop: layout?.knees?.length ? layout.placements.map(({ source }) => source) : [],
      map: answer.map ?? null,
    };
  }
}

/** The unsupervised grade that the model gives; null where it gives none, or no number. */
function severityOf({ severity }: Prediction, grades: readonly Severity[]): Severity | null {
  if (!severity?.every((value) => Number.isFinite(value))) {
    return null;
  }
  return grades[severity.indexOf(Math.max(...severity))] ?? null;
}

/** Note how many milliseconds a stage takes. */
async function timed<T>(stageMs: Record<string, number>, stage: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  stageMs[stage] = Number((performance.now() - start).toFixed(2));
  return result;
}
