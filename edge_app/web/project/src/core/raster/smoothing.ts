/** Each sample from those around it (`osteo_edge.raster.plain.smoothing`); beyond the edge the picture is mirrored. */

import { plane, transposed } from "../plane";
import type { Grey } from "../plane";
import { roundHalfEven } from "../rounding";
import type { Plane } from "../types";

/** Blurred by a Gaussian of `sigma` pixels, cut off at 4 sigma. */
export function gaussian(picture: Plane, sigma: number): Plane {
  const weights = gaussianWeights(sigma);
  return transposed(symmetricSum(transposed(symmetricSum(picture, weights)), weights));
}

/** The mean of `rows` x `columns`, taken for the sample at half of each, rounded down. */
export function boxMean(picture: Plane, rows: number, columns: number): Plane {
  const down = runningSum(picture, rows);
  const sums = transposed(runningSum(transposed(down), columns));
  const share = rows * columns;
  return plane(sums.height, sums.width, sums.data.map((sum) => sum / share));
}

/** The largest value of the square around each sample; what lies beyond the edge does not count. */
export function dilate({ height, width, data }: Grey, side: number): Grey {
  const down = largest(data, side, width, height, 1, width);
  return { height, width, data: largest(down, side, height, width, width, 1) };
}

/** The smallest value of the square around each sample; what lies beyond the edge does not count. */
export function erode(grey: Grey, side: number): Grey {
  const turned = dilate({ ...grey, data: grey.data.map((level) => 255 - level) }, side);
  return { ...turned, data: turned.data.map((level) => 255 - level) };
}

/** The place within `here` that a mirror at the outermost samples shows at `place`. */
export function mirroredPlace(place: number, here: number): number {
  if (here === 1) {
    return 0;
  }
  const period = 2 * (here - 1);
  const folded = Math.abs(place) % period;
  return Math.min(folded, period - folded);
}

/** The weights of the middle sample and of those to one side of it. */
function gaussianWeights(sigma: number): Float32Array {
  const reach = Math.floor((roundHalfEven(sigma * 4 * 2 + 1) | 1) / 2);
  const bell = Float64Array.from({ length: reach + 1 }, (_, step) => Math.exp(-(step ** 2) / (2 * sigma ** 2)));
  const whole = 2 * bell.reduce((sum, weight) => sum + weight, 0) - bell[0]!;
  return Float32Array.from(bell, (weight) => weight / whole);
}

/** The weighted sums of each row and of those as far above and below. */
function symmetricSum(picture: Plane, weights: Float32Array): Plane {
  const { height, width, data } = picture;
  const result = plane(height, width);
  const sums = new Float64Array(width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      sums[column] = data[row * width + column]! * weights[0]!;
    }
    for (let step = 1; step < weights.length; step++) {
      const weight = weights[step]!;
      const above = mirroredPlace(row - step, height) * width;
      const below = mirroredPlace(row + step, height) * width;
      for (let column = 0; column < width; column++) {
        sums[column]! += (data[above + column]! + data[below + column]!) * weight;
      }
    }
    result.data.set(sums, row * width);
  }
  return result;
}

/** The sum of each `count` rows on end, of which row `count` / 2, rounded down, is the one that it is taken for. */
function runningSum(picture: Plane, count: number): Plane {
  const { height, width, data } = picture;
  const before = Math.floor(count / 2);
  const totals = new Float64Array(width);
  const add = (row: number, sign: number) => {
    const start = mirroredPlace(row, height) * width;
    for (let column = 0; column < width; column++) {
      totals[column]! += sign * data[start + column]!;
    }
  };
  for (let row = -before; row < count - before; row++) {
    add(row, 1);
  }
  const result = plane(height, width);
  for (let row = 0; row < height; row++) {
    result.data.set(totals, row * width);
    add(row - before, -1);
    add(row - before + count, 1);
  }
  return result;
}

/** The largest of each `side` values on end, of `lines` lines of `length` values each, which lie `step` apart. */
function largest(
  data: Uint8Array,
  side: number,
  lines: number,
  length: number,
  line: number,
  step: number,
): Uint8Array {
  const result = new Uint8Array(data.length);
  const before = Math.floor(side / 2);
  for (let number = 0; number < lines; number++) {
    for (let place = 0; place < length; place++) {
      const last = Math.min(place - before + side, length);
      let most = 0;
      for (let other = Math.max(place - before, 0); other < last; other++) {
        const value = data[number * line + other * step]!;
        most = value > most ? value : most;
      }
      result[number * line + place * step] = most;
    }
  }
  return result;
}
