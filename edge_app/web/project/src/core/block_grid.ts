/** The borders of a JPEG file's blocks, which strong compression leaves in the picture (`osteo_edge.block_grid`). */

import { cropped, plane, transposed } from "./plane";
import { median } from "./raster/statistics";
import { to8Bit } from "./raster/tones";
import type { QualityConstants } from "./shared";
import type { Plane } from "./types";

/** The mean step between neighbours at every eighth place over that at the others, in the direction with less. */
export function blockContrast(pixels: Plane, known: QualityConstants): number {
  const [top, left] = [pixels.height, pixels.width].map((side) => Math.max(0, Math.floor((side - known.seenPx) / 2)));
  const bottom = Math.min(pixels.height, top! + known.seenPx);
  const middle = cropped(pixels, top!, bottom, left!, Math.min(pixels.width, left! + known.seenPx));
  return Math.min(contrastAcross(middle, known), contrastAcross(transposed(middle), known));
}

function contrastAcross(picture: Plane, known: QualityConstants): number {
  const grey = to8Bit(everyRow(picture, known.every));
  const places = Math.floor((grey.width - 1) / known.blockPx) * known.blockPx;
  if (!places) {
    return 1;
  }
  const steps = new Float64Array(known.blockPx);
  for (let row = 0; row < grey.height; row++) {
    for (let column = 0; column < places; column++) {
      const at = row * grey.width + column;
      const step = Math.abs(grey.data[at]! - grey.data[at + 1]!);
      steps[column % known.blockPx]! += Math.min(step, known.largestStep);
    }
  }
  const means = steps.map((sum) => sum / (grey.height * (places / known.blockPx))).sort();
  return means[known.blockPx - 1]! / Math.max(median(means.subarray(0, known.blockPx - 1)), known.leastStep);
}

function everyRow(picture: Plane, every: number): Plane {
  const kept = plane(Math.ceil(picture.height / every), picture.width);
  for (let row = 0; row < kept.height; row++) {
    const start = row * every * picture.width;
    kept.data.set(picture.data.subarray(start, start + picture.width), row * picture.width);
  }
  return kept;
}
