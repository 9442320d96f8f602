/** Is this image fit to be screened at all? The checks of `osteo_edge.gate`, which need no network. */

import type { Radiograph } from "./decode/radiograph";
import { measureQuality } from "./image_quality";
import type { ImageQuality } from "./image_quality";
import type { Layout } from "./layout";
import type { Gate } from "./manifest";
import type { Line } from "./messages";
import { meanAndDeviation } from "./raster/statistics";
import { fixed } from "./rounding";
import type { GateLimits, Shared } from "./shared";

/**
 * Why the image must not be screened, in words for the user; nothing if it may be.
 *
 * Of the picture's faults the first is given, since one brings about others. Where metal is a finding, `metalCounts`,
 * white areas are no fault, and a film of a whole forearm may be long.
 */
export function rejections(film: Radiograph, gate: Gate, shared: Shared, line: Line, metalCounts: boolean): string[] {
  const { height, width } = film.pixels;
  const isBlank = meanAndDeviation(film.pixels.data).deviation < gate.min_contrast;
  const reasons: string[] = [];
  if (Math.min(height, width) < gate.min_side_px) {
    reasons.push(line("too small: ", { width, height, min_side_px: gate.min_side_px }));
  }
  if (film.modality !== null && !gate.modalities.includes(film.modality)) {
    reasons.push(line("not a radiograph: the file says", { modality: film.modality }));
  }
  if (film.chroma > gate.max_chroma) {
    reasons.push(line("a colour picture"));
  }
  if (isBlank) {
    return [...reasons, line("blank or nearly so")];
  }
  const fault = faultOf(measureQuality(film.pixels, shared.quality), shared.gate, line, metalCounts);
  return fault === null ? reasons : [...reasons, fault];
}

/**
 * What is wrong with a picture, and what to do about it; null if nothing is.
 *
 * The order is that of what would be told wrongly after it: a negative is white in large parts, too.
 */
export function faultOf(measured: ImageQuality, limits: GateLimits, line: Line, metalCounts: boolean): string | null {
  const quality = metalCounts ? { ...measured, white: 0, patch: 0 } : measured;
  const longest = metalCounts ? limits.maxLongAspect : limits.maxAspect;
  const wrong = wrongPicture(quality, longest, limits, line);
  return wrong ?? (quality.tones >= limits.minTones ? spoiltFilm(quality, limits, line) : null);
}

function wrongPicture(quality: ImageQuality, longest: number, limits: GateLimits, line: Line): string | null {
  if (quality.aspect > longest) {
    return line("a strip, ", { aspect: fixed(quality.aspect, 1) });
  }
  if (quality.smoothness < limits.minSmoothness) {
    return line(quality.even >= limits.minPrint ? "a page of text" : "noise all over");
  }
  return quality.brightest < limits.minBrightest ? line("far too dark") : null;
}

function spoiltFilm(quality: ImageQuality, limits: GateLimits, line: Line): string | null {
  if (quality.relief < limits.negativeRelief && quality.side > limits.negativeSide) {
    return line("a negative, ");
  }
  if (quality.white > limits.maxWhite) {
    return line("over-exposed, ", { percent: fixed(100 * quality.white, 0) });
  }
  if (quality.blocks > limits.maxBlocks) {
    return line("compressed until");
  }
  if (quality.detail < limits.minDetail) {
    return line("the picture is blurred");
  }
  if (quality.screen > limits.maxScreen) {
    return line("a screenshot");
  }
  return quality.patch > limits.maxPatch ? line("a white patch") : null;
}

/** Why the image must not be screened once it is laid out: where knees were looked for, there must be one. */
export function kneeRejections(layout: Layout, line: Line): string[] {
  return layout.knees === null || layout.knees.length > 0 ? [] : [line("no knee joint")];
}
