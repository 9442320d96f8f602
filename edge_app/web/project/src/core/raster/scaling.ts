/** Pictures in another size or place (`osteo_edge.raster.plain.scaling`): sums in OpenCV's order, in 32 bits. */

import { cropped, plane, transposed } from "../plane";
import type { Plane } from "../types";

const { fround } = Math;

/** Of a sample: what is covered less does not count, as OpenCV has it. */
const LEAST_COVER = 1e-3;
/** The slope of the cubic at its second sample (Keys 1981 has -0.5; this is OpenCV's). */
const CUBIC = -0.75;

/** What the samples along one axis are made of: `count` places and weights for each, those of one sample together. */
interface Taps {
  readonly count: number;
  readonly places: Int32Array;
  readonly weights: Float32Array;
}

/** Scale and shift along x and y. */
export interface Move {
  readonly scaleX: number;
  readonly shiftX: number;
  readonly scaleY: number;
  readonly shiftY: number;
}

/** The picture at a size that is no larger: the mean of each area. */
export function shrink(picture: Plane, height: number, width: number): Plane {
  if (picture.height === height && picture.width === width) {
    return plane(height, width, picture.data.slice());
  }
  if (picture.height % height === 0 && picture.width % width === 0) {
    return meanOfBlocks(picture, height, width);
  }
  return resampled(picture, areas(picture.height, height), areas(picture.width, width));
}

/** The picture at any other size, interpolated between its four nearest samples; shrunk so, it would alias. */
export function enlarge(picture: Plane, height: number, width: number): Plane {
  return transposed(enlargedAcross(transposed(enlargedAcross(picture, width)), height));
}

/** The picture with so many rows and columns more at each side, which repeat its outermost ones. */
export function continueEdges(picture: Plane, top: number, bottom: number, left: number, right: number): Plane {
  const wider = plane(picture.height + top + bottom, picture.width + left + right);
  for (let row = 0; row < wider.height; row++) {
    const from = Math.min(Math.max(row - top, 0), picture.height - 1) * picture.width;
    const line = picture.data.subarray(from, from + picture.width);
    const to = row * wider.width;
    wider.data.fill(line[0]!, to, to + left);
    wider.data.set(line, to + left);
    wider.data.fill(line[picture.width - 1]!, to + left + picture.width, to + wider.width);
  }
  return wider;
}

/** The box of the film; beyond the film its outermost pixels go on. */
export function cutOut(film: Plane, top: number, left: number, height: number, width: number): Plane {
  const [bottom, right] = [top + height, left + width];
  const inside = cropped(
    film,
    Math.max(top, 0),
    Math.min(bottom, film.height),
    Math.max(left, 0),
    Math.min(right, film.width),
  );
  const beyond = [-top, bottom - film.height, -left, right - film.width].map((reach) => Math.max(reach, 0));
  return beyond.some((reach) => reach > 0)
    ? continueEdges(inside, beyond[0]!, beyond[1]!, beyond[2]!, beyond[3]!)
    : inside;
}

/**
 * The picture scaled and moved; beyond its edge its outermost samples go on.
 *
 * The move takes x and y, from the middle of the first sample, to the result; or back if it is `fromTarget`.
 */
export function warp(
  picture: Plane,
  move: Move,
  height: number,
  width: number,
  way: "linear" | "cubic" = "linear",
  fromTarget = false,
): Plane {
  const taps = way === "linear" ? between : cubic;
  const sources = (scale: number, shift: number, there: number) =>
    Float64Array.from({ length: there }, (_, place) => (fromTarget ? place * scale + shift : (place - shift) / scale));
  const down = taps(sources(move.scaleY, move.shiftY, height), picture.height);
  return resampled(picture, down, taps(sources(move.scaleX, move.shiftX, width), picture.width));
}

function scaleOf(here: number, there: number): number {
  return 1 / (there / here); // rounded twice, as OpenCV does
}

/**
 * Every sample that a stretch of `here` / `there` samples covers, by how much of it is covered.
 *
 * What is hardly covered does not count, nor does the rest make up for it, as OpenCV has it.
 */
function areas(here: number, there: number): Taps {
  const scale = scaleOf(here, there);
  const count = Math.ceil(scale) + 2;
  const [places, weights] = [new Int32Array(count * there), new Float32Array(count * there)];
  for (let sample = 0; sample < there; sample++) {
    const start = sample * scale;
    const end = start + scale;
    const width = Math.min(scale, here - start);
    const last = Math.min(Math.floor(end), here - 1);
    const first = Math.min(Math.ceil(start), last);
    const before = first - start;
    const after = end - last <= LEAST_COVER ? 0 : Math.min(end - last, 1, width);
    let tap = sample * count;
    const add = (place: number, covered: number) => {
      places[tap] = Math.min(place, here - 1);
      weights[tap++] = covered / width;
    };
    if (before > LEAST_COVER) {
      add(first - 1, before);
    }
    for (let place = first; place < last; place++) {
      add(place, 1);
    }
    add(last, after);
  }
  return { count, places, weights };
}

/** The two samples that each source lies between, by how near they are. */
function between(sources: Float64Array, here: number): Taps {
  return taps(sources, here, 2, 0, (share) => [1 - share, share]);
}

/** The four samples around each source, by the cubic of Keys 1981. */
function cubic(sources: Float64Array, here: number): Taps {
  const near = (far: number) => ((CUBIC + 2) * far - (CUBIC + 3)) * far * far + 1;
  const outer = (far: number) => ((CUBIC * far - 5 * CUBIC) * far + 8 * CUBIC) * far - 4 * CUBIC;
  return taps(sources, here, 4, 1, (share) => [outer(share + 1), near(share), near(1 - share), outer(2 - share)]);
}

function taps(
  sources: Float64Array,
  here: number,
  count: number,
  ahead: number,
  weigh: (share: number) => readonly number[],
): Taps {
  const [places, weights] = [new Int32Array(count * sources.length), new Float32Array(count * sources.length)];
  sources.forEach((source, sample) => {
    const before = Math.floor(source);
    weigh(source - before).forEach((weight, tap) => {
      places[sample * count + tap] = Math.min(Math.max(before - ahead + tap, 0), here - 1);
      weights[sample * count + tap] = weight;
    });
  });
  return { count, places, weights };
}

/** Each row at another length: a sample, and a share of the step to the next; rounded where OpenCV 5 does so. */
function enlargedAcross(picture: Plane, width: number): Plane {
  const scale = picture.width / width;
  const sources = Float64Array.from({ length: width }, (_, place) => (place + 0.5) * scale - 0.5);
  const { places, weights } = between(sources, picture.width);
  const result = plane(picture.height, width);
  for (let row = 0, sample = 0; row < picture.height; row++) {
    const line = picture.data.subarray(row * picture.width, (row + 1) * picture.width);
    for (let tap = 0; tap < places.length; tap += 2, sample++) {
      const [first, second] = [line[places[tap]!]!, line[places[tap + 1]!]!];
      result.data[sample] = first + fround(second - first) * weights[tap + 1]!;
    }
  }
  return result;
}

/** Weighted sums across and then down. */
function resampled(picture: Plane, down: Taps, across: Taps): Plane {
  const width = across.places.length / across.count;
  const rows = plane(picture.height, width);
  for (let row = 0; row < picture.height; row++) {
    sumAcross(picture.data, row * picture.width, across, rows.data, row * width);
  }
  const result = plane(down.places.length / down.count, width);
  for (let row = 0; row < result.height; row++) {
    sumDown(rows, down, row, result.data.subarray(row * width, (row + 1) * width));
  }
  return result;
}

function sumAcross(data: Float32Array, start: number, taps: Taps, sums: Float32Array, to: number): void {
  const { count, places, weights } = taps;
  for (let tap = 0, column = to; tap < places.length; tap += count, column++) {
    let total = fround(data[start + places[tap]!]! * weights[tap]!);
    for (let other = tap + 1; other < tap + count; other++) {
      total = fround(total + fround(data[start + places[other]!]! * weights[other]!));
    }
    sums[column] = total;
  }
}

function sumDown(rows: Plane, taps: Taps, row: number, sums: Float32Array): void {
  for (let tap = row * taps.count; tap < (row + 1) * taps.count; tap++) {
    const weight = taps.weights[tap]!;
    const start = taps.places[tap]! * rows.width;
    for (let column = 0; weight && column < rows.width; column++) {
      sums[column] = fround(sums[column]! + fround(rows.data[start + column]! * weight));
    }
  }
}

/** The mean of each block of whole samples, four of which are added up at a time, as OpenCV does. */
function meanOfBlocks(picture: Plane, height: number, width: number): Plane {
  const down = picture.height / height;
  const across = picture.width / width;
  const offsets = Int32Array.from(
    { length: down * across },
    (_, place) => Math.floor(place / across) * picture.width + (place % across),
  );
  const whole = offsets.length - (offsets.length % 4);
  const inPairs = down === 2 && across === 2;
  const share = fround(1 / offsets.length);
  const { data } = picture;
  const result = plane(height, width);
  for (let row = 0, sample = 0; row < height; row++) {
    for (let column = 0; column < width; column++, sample++) {
      const corner = row * down * picture.width + column * across;
      let total = 0;
      for (let place = 0; place < whole; place += 4) {
        const one = data[corner + offsets[place]!]!;
        const two = data[corner + offsets[place + 1]!]!;
        const three = data[corner + offsets[place + 2]!]!;
        const four = data[corner + offsets[place + 3]!]!;
        const sum = inPairs
          ? fround(fround(one + two) + fround(three + four))
          : fround(fround(fround(one + two) + three) + four);
        total = fround(total + sum);
      }
      for (let place = whole; place < offsets.length; place++) {
        total = fround(total + data[corner + offsets[place]!]!);
      }
      result.data[sample] = fround(total * share);
    }
  }
  return result;
}
