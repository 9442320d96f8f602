/** Is the picture itself good enough? The figures of `osteo_edge.image_quality`, where each is explained. */

import { blockContrast } from "./block_grid";
import { cropped, fitted, plane, transposed } from "./plane";
import type { Grey } from "./plane";
import { areasOf } from "./raster/components";
import { shrink } from "./raster/scaling";
import { dilate, erode, gaussian } from "./raster/smoothing";
import { meanAndDeviation, median, rowMeans } from "./raster/statistics";
import { histogram, to8Bit } from "./raster/tones";
import { roundHalfEven } from "./rounding";
import type { QualityConstants } from "./shared";
import type { Plane } from "./types";

const { fround } = Math; // shares of 32 bits are compared as such

export interface ImageQuality {
  readonly aspect: number;
  readonly tones: number;
  readonly smoothness: number;
  readonly even: number;
  readonly screen: number;
  readonly brightest: number;
  readonly white: number;
  readonly side: number;
  readonly relief: number;
  readonly patch: number;
  readonly detail: number;
  readonly blocks: number;
}

/** Rows and columns, each from the first to before the last. */
interface Field {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Measure a picture (height, width) in [0, 1], bone bright. */
export function measureQuality(pixels: Plane, known: QualityConstants): ImageQuality {
  const film = shrunk(pixels, known.measuredPx);
  const grey = to8Bit(film);
  const even = evenPlaces(grey, known.evenPx);
  const field = fieldOf(film, known.fieldGrey);
  const within = greyWithin(grey, field);
  const levels = histogram(grey).map((count) => fround(count / grey.data.length));
  const sides = [pixels.height, pixels.width];
  return {
    aspect: Math.max(...sides) / Math.min(...sides),
    tones: levels.filter((share) => share >= fround(known.toneShare)).length,
    smoothness: smoothness(film),
    even: share(even, (isEven) => isEven === 1),
    screen: screenShare(grey, even, known.screenGreys),
    brightest: brightestLevel(levels, known.brightestShare) / 255,
    white: share(middle(within, known.middle), (level) => level >= known.white),
    side: median(margins(within, Math.max(1, roundHalfEven(known.margin * Math.max(film.height, film.width))))) / 255,
    relief: relief(shrunk(cropped(film, field.top, field.bottom, field.left, field.right), known.measuredPx / 4)),
    patch: largestPatch(grey, even, field, known.patchGrey),
    detail: detail(film, known),
    blocks: blockContrast(pixels, known),
  };
}

function shrunk(pixels: Plane, longestPx: number): Plane {
  const [height, width] = fitted(pixels.height, pixels.width, longestPx);
  const whole = Math.max(1, Math.floor(Math.max(pixels.height, pixels.width) / longestPx));
  if (whole > 1 && Math.min(height, width) > whole) {
    const [rows, columns] = [Math.floor(pixels.height / whole), Math.floor(pixels.width / whole)];
    return shrink(shrink(cropped(pixels, 0, rows * whole, 0, columns * whole), rows, columns), height, width);
  }
  return shrink(pixels, height, width);
}

/** The rows and columns from the first that is not white to the last; all of them where there is none. */
function fieldOf(film: Plane, grey: number): Field {
  const [top, bottom] = inside(rowMeans(film), grey);
  const [left, right] = inside(rowMeans(transposed(film)), grey);
  return { top, bottom, left, right };
}

function inside(means: Float64Array, grey: number): [number, number] {
  const isDark = (mean: number) => fround(mean) < fround(grey);
  const [first, last] = [means.findIndex(isDark), means.findLastIndex(isDark)];
  return first < 0 ? [0, means.length] : [first, last + 1];
}

function greyWithin(grey: Grey, { top, bottom, left, right }: Field): Grey {
  const data = new Uint8Array((bottom - top) * (right - left));
  for (let row = top; row < bottom; row++) {
    data.set(grey.data.subarray(row * grey.width + left, row * grey.width + right), (row - top) * (right - left));
  }
  return { height: bottom - top, width: right - left, data };
}

function share(values: Uint8Array, counts: (value: number) => boolean): number {
  let found = 0;
  for (const value of values) {
    found += counts(value) ? 1 : 0;
  }
  return found / values.length;
}

function middle(grey: Grey, part: number): Uint8Array {
  const down = roundHalfEven((grey.height * (1 - part)) / 2);
  const across = roundHalfEven((grey.width * (1 - part)) / 2);
  return greyWithin(grey, { top: down, bottom: grey.height - down, left: across, right: grey.width - across }).data;
}

/** The columns at the left and the right; in a narrow field some count twice. */
function margins(grey: Grey, columns: number): Uint8Array {
  const { height, width } = grey;
  const wide = Math.min(columns, width);
  const left = greyWithin(grey, { top: 0, bottom: height, left: 0, right: wide }).data;
  const right = greyWithin(grey, { top: 0, bottom: height, left: width - wide, right: width }).data;
  return Uint8Array.from([...left, ...right]);
}

/** 1 where the square around a pixel differs by one grey level at most. */
function evenPlaces(grey: Grey, sidePx: number): Uint8Array {
  const least = erode(grey, sidePx).data;
  return dilate(grey, sidePx).data.map((most, place) => (most - least[place]! <= 1 ? 1 : 0));
}

function screenShare(grey: Grey, even: Uint8Array, [low, high]: readonly [number, number]): number {
  let found = 0;
  grey.data.forEach((level, place) => {
    found += even[place] && level >= low && level <= high ? 1 : 0;
  });
  return found / grey.data.length;
}

/** The highest level that such a share of the pixels reaches. */
function brightestLevel(levels: Float64Array, least: number): number {
  let [above, level] = [0, 256];
  while (above < fround(least) && level > 0) {
    above = fround(above + levels[--level]!);
  }
  return level;
}

function smoothness(film: Plane): number {
  const { height, width, data } = film;
  let squares = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const place = row * width + column;
      squares += column ? (data[place]! - data[place - 1]!) ** 2 : 0;
      squares += row ? (data[place]! - data[place - width]!) ** 2 : 0;
    }
  }
  return 1 - squares / data.length / (4 * meanAndDeviation(data).deviation ** 2 + 1e-9);
}

function relief(film: Plane): number {
  const around = gaussian(film, 1);
  const apart = plane(film.height, film.width, film.data.map((value, place) => Math.abs(value - around.data[place]!)));
  const strength = gaussian(apart, 2).data;
  const [one, other] = [meanAndDeviation(around.data), meanAndDeviation(strength)];
  let products = 0;
  for (let place = 0; place < strength.length; place++) {
    products += (around.data[place]! - one.mean) * (strength[place]! - other.mean);
  }
  return products / strength.length / (one.deviation * other.deviation + 1e-9);
}

/** The share of the largest connected even white part of the field that does not reach its border. */
function largestPatch(grey: Grey, even: Uint8Array, field: Field, least: number): number {
  const { height, width, data } = grey;
  const white = Uint8Array.from(data, (level, place) => (even[place] && level >= least ? 1 : 0));
  const part = greyWithin({ height, width, data: white }, field);
  const clear = areasOf(part.data, part.width).filter(
    ({ left, right, top, bottom }) => left > 0 && right < part.width - 1 && top > 0 && bottom < part.height - 1,
  );
  return Math.max(0, ...clear.map(({ size }) => size)) / part.data.length;
}

/** After the blur measure of Crete et al. 2007: what a blur would take away, here at two scales. */
function detail(film: Plane, known: QualityConstants): number {
  const fine = shrunk(film, known.measuredPx / 2);
  const coarse = shrunk(film, known.measuredPx / 4);
  const least = known.leastDetail * meanAndDeviation(film.data).deviation + 1e-6;
  const down = roughness(fine) / (roughness(coarse) + least);
  return Math.min(down, roughness(transposed(fine)) / (roughness(transposed(coarse)) + least));
}

/** The root mean square of the second differences from row to row; 0 where there are none. */
function roughness({ height, width, data }: Plane): number {
  if (height < 3) {
    return 0;
  }
  let squares = 0;
  for (let place = 2 * width; place < data.length; place++) {
    squares += (data[place]! - 2 * data[place - width]! + data[place - 2 * width]!) ** 2;
  }
  return Math.sqrt(squares / (data.length - 2 * width));
}
