/** How far an image lies from the films that a model learned from (`osteo_edge.familiarity`). */

import type { Manifest } from "./manifest";
import type { Line } from "./messages";
import { findingOf } from "./manifest";
import { readArrays } from "./npz";
import type { NumberArray } from "./npz";
import { ScreeningError } from "./types";

const SMALLEST = 1e-12;
const ARRAYS = ["mean", "directions", "variances", "rest"];

/** Of the training films' embeddings: `directions` are (variances.length, mean.length). */
export interface FilmStatistics {
  readonly mean: Float64Array;
  readonly directions: Float64Array;
  readonly variances: Float64Array;
  readonly rest: number;
}

/** The statistics in the bytes of a bundle's file; ScreeningError where they are not as they should be. */
export function readStatistics(bytes: Uint8Array): FilmStatistics {
  const arrays = readArrays(bytes);
  const [mean, directions, variances, rest] = ARRAYS.map((name) => arrays.get(name));
  if (!mean || !directions || !variances || !rest || !fits(mean, directions, variances, rest)) {
    throw new ScreeningError("The model's files are damaged. Load this page again, or ask who set it up.");
  }
  return { mean: mean.data, directions: directions.data, variances: variances.data, rest: rest.data[0]! };
}

/** The distance of an embedding: about 1 for a training film; NaN for no numbers. */
export function distanceOf(embedding: Float32Array, { mean, directions, variances, rest }: FilmStatistics): number {
  const centred = tempered(embedding).map((value, place) => value - mean[place]!);
  let across = centred.reduce((sum, value) => sum + value * value, 0);
  let along = 0;
  for (let direction = 0; direction < variances.length; direction++) {
    const start = direction * mean.length;
    const square = centred.reduce((sum, value, place) => sum + value * directions[start + place]!, 0) ** 2;
    along += square / variances[direction]!;
    across -= square;
  }
  return Math.sqrt((along / variances.length + Math.max(across, 0) / rest) / 2);
}

/** Why an image with this embedding must not be answered, in words for the user; nothing if it may be. */
export function unfamiliar(
  embedding: Float32Array | null,
  statistics: FilmStatistics | null,
  manifest: Manifest,
  line: Line,
): string[] {
  if (!manifest.familiarity || !statistics || !embedding) {
    return [];
  }
  return distanceOf(embedding, statistics) <= manifest.familiarity.threshold ? [] : [refusal(manifest, line)];
}

/** Divided by the square root of its length; zeros stay zeros. */
function tempered(embedding: Float32Array): Float64Array {
  const values = Float64Array.from(embedding);
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return values.map((value) => value / Math.sqrt(Math.max(length, SMALLEST)));
}

function fits(mean: NumberArray, directions: NumberArray, variances: NumberArray, rest: NumberArray): boolean {
  const all = [mean, directions, variances, rest];
  const finite = all.every(({ data }) => data.every((value) => Number.isFinite(value)));
  const shaped = directions.data.length === variances.data.length * mean.data.length && rest.data.length === 1;
  const positive = [...variances.data, ...rest.data].every((value) => value > 0);
  return finite && shaped && positive && variances.data.length > 0;
}

function refusal(manifest: Manifest, line: Line): string {
  const start = "this does not look like the ";
  if (manifest.data.label_source === "phantom") {
    return line(`${start}drawn films`);
  }
  if (manifest.router) {
    const bones = manifest.router.heads.map((head) => head.bone).join(", ");
    return line(`${start}films that the model learned from: use an X-ray of a bone`, { bones });
  }
  const use = findingOf(manifest) === "density" ? "a frontal knee" : "an X-ray of the bone";
  return line(`${start}films that the model learned from: use ${use}`);
}
