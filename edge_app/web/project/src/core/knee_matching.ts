/** Compare a film with the drawn knee by normalized cross-correlation: first the whole knee, then the joint line. */

import { coarseFeatures, cut, fineFeatures } from "./knee_template";
import type { KneeTemplate } from "./knee_template";
import { cropped, plane, toBytes } from "./plane";
import { covariance, highest } from "./raster/matching";
import { continueEdges, enlarge, shrink } from "./raster/scaling";
import { boxMean } from "./raster/smoothing";
import { meanAndDeviation } from "./raster/statistics";
import { otsu } from "./raster/tones";
import { roundHalfEven } from "./rounding";
import type { Plane } from "./types";

/** Where a knee may be: how like one it is, the middle of its joint line and its width, in the film's pixels. */
export interface Place {
  readonly score: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The places on the film most like a knee of one width, best first; the score is at most 1. */
export function propose(film: Plane, width: number, template: KneeTemplate): Place[] {
  const { known } = template;
  const scale = known.coarseWidthPx / width;
  const [height, across] = [film.height, film.width].map((side) => Math.max(1, roundHalfEven(side * scale)));
  const scaled = (scale < 1 ? shrink : enlarge)(film, height!, across!);
  const likeness = coarseLikeness(scaled, template);
  const offset = Math.floor(known.coarseSidePx / 2) - known.borderPx;
  const places: Place[] = [];
  while (likeness && places.length < known.proposalsPerWidth) {
    const { value, row, column } = highest(likeness);
    if (value < known.leastCoarseScore) {
      break;
    }
    places.push({ score: value, x: (column + offset) / scale, y: (row + offset) / scale, width });
    blot(likeness, row, column, known.apartPx);
  }
  return places;
}

/** Move and scale the place to where the joint line fits best, and add that correlation to its score. */
export function settle(film: Plane, place: Place, template: KneeTemplate): Place {
  const { fineStep, fineSteps } = template.known;
  const widthAt = (step: number) => place.width * Math.exp(fineStep * (step - fineSteps));
  const tried = Array.from({ length: 2 * fineSteps + 1 }, (_, step) => widthAt(step));
  const found = tried.map((width) => fitJoint(film, place, width, template));
  const scores = found.map(({ score }) => score);
  const best = scores.indexOf(Math.max(...scores));
  return { ...found[best]!, width: tried[0]! * Math.exp(fineStep * peak(scores, best)) };
}

/** Nothing near this place is the highest any more. */
function blot(likeness: Plane, row: number, column: number, apart: number): void {
  const right = Math.min(column + apart + 1, likeness.width);
  for (let y = Math.max(0, row - apart); y < Math.min(row + apart + 1, likeness.height); y++) {
    likeness.data.fill(-1, y * likeness.width + Math.max(0, column - apart), y * likeness.width + right);
  }
}

/** The correlation at every place, -1 where no joint can be, off the limb or at the film's edge; null without room. */
function coarseLikeness(scaled: Plane, { coarse, known }: KneeTemplate): Plane | null {
  const { borderPx, coarseSidePx, coarseWidthPx, clearanceWidths } = known;
  const bordered = continueEdges(scaled, borderPx, borderPx, borderPx, borderPx);
  if (Math.min(bordered.height, bordered.width) < coarseSidePx) {
    return null;
  }
  const likeness = correlate(coarseFeatures(bordered), coarse, known.coarseFloor);
  const half = Math.floor(coarseSidePx / 2);
  const limb = limbOf(scaled, bordered);
  const isClear = (place: number, side: number, widths: number) => {
    const middle = place + half - borderPx;
    return middle >= widths * coarseWidthPx && middle <= side - widths * coarseWidthPx;
  };
  for (let row = 0, place = 0; row < likeness.height; row++) {
    const rowClear = isClear(row, scaled.height, clearanceWidths[0]);
    for (let column = 0; column < likeness.width; column++, place++) {
      const onLimb = limb[(row + half) * bordered.width + column + half];
      if (!rowClear || !onLimb || !isClear(column, scaled.width, clearanceWidths[1])) {
        likeness.data[place] = -1;
      }
    }
  }
  return likeness;
}

/** 1 where the film is brighter around than Otsu's threshold (Otsu 1979). */
function limbOf(scaled: Plane, bordered: Plane): Uint8Array {
  const grey = toBytes(scaled.data, (value) => Math.trunc(Math.fround(value * 255)));
  const least = Math.fround(otsu({ height: scaled.height, width: scaled.width, data: grey }) / 255);
  return toBytes(boxMean(bordered, 16, 24).data, (mean) => (mean > least ? 1 : 0));
}

/** The place moved to where the joint line fits best, at one width. */
function fitJoint(film: Plane, place: Place, width: number, { fine, known }: KneeTemplate): Place {
  const pixel = (known.fineSpan * width) / known.fineSpanPx;
  const field = fineFeatures(cut(film, place.x, place.y, known.fineFieldPx * pixel, known.fineFieldPx));
  const likeness = correlate(field, fine, known.fineFloor);
  const [row, column] = [Math.floor(likeness.height / 2), Math.floor(likeness.width / 2)];
  const [down, across] = known.fineReachPx;
  const near = cropped(likeness, row - down, row + down + 1, column - across, column + across + 1);
  const top = highest(near);
  const line = Array.from(near.data.subarray(top.row * near.width, (top.row + 1) * near.width));
  const post = Array.from({ length: near.height }, (_, y) => near.data[y * near.width + top.column]!);
  return {
    score: place.score + top.value,
    x: place.x + (peak(line, top.column) - across) * pixel,
    y: place.y + (peak(post, top.row) - down) * pixel,
    width,
  };
}

/** Normalized cross-correlation wherever the patch fits, as if the plane deviated by `floor` at least. */
function correlate(picture: Plane, patch: Plane, floor: number): Plane {
  const products = covariance(picture, patch);
  const mean = boxMean(picture, patch.height, patch.width);
  const squares = plane(picture.height, picture.width, picture.data.map((value) => value * value));
  const square = boxMean(squares, patch.height, patch.width);
  const [top, left] = [Math.floor(patch.height / 2), Math.floor(patch.width / 2)];
  const whole = patch.data.length * meanAndDeviation(patch.data).deviation;
  for (let row = 0, place = 0; row < products.height; row++) {
    for (let column = 0; column < products.width; column++, place++) {
      const at = (row + top) * picture.width + column + left;
      const variance = Math.max(square.data[at]! - mean.data[at]! ** 2, floor ** 2);
      products.data[place] = products.data[place]! / (whole * Math.sqrt(variance));
    }
  }
  return products;
}

/** Where a smooth curve through the values is highest: the top of the parabola around the highest of them. */
function peak(values: readonly number[], best: number): number {
  if (best === 0 || best === values.length - 1) {
    return best;
  }
  const [before, top, after] = [values[best - 1]!, values[best]!, values[best + 1]!];
  const bend = before - 2 * top + after;
  return bend ? best + (before - after) / (2 * bend) : best;
}
