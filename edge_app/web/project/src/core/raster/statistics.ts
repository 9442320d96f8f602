/** Figures of a whole picture. */

import type { Plane } from "../types";

/** The mean and the standard deviation of samples. */
export function meanAndDeviation(samples: ArrayLike<number>): { mean: number; deviation: number } {
  let total = 0;
  for (let place = 0; place < samples.length; place++) {
    total += samples[place]!;
  }
  const mean = total / samples.length;
  let squares = 0;
  for (let place = 0; place < samples.length; place++) {
    squares += (samples[place]! - mean) ** 2;
  }
  return { mean, deviation: Math.sqrt(squares / samples.length) };
}

/** The middle of the values in their order; of an even number the mean of the two middle ones. */
export function median(values: ArrayLike<number>): number {
  return percentile(values, 50);
}

/** The value below which so many of a hundred lie, interpolated between the nearest two. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (place - below);
}

/** The mean of each row. */
export function rowMeans(picture: Plane): Float64Array {
  return Float64Array.from({ length: picture.height }, (_, row) => {
    let total = 0;
    for (let column = 0; column < picture.width; column++) {
      total += picture.data[row * picture.width + column]!;
    }
    return total / picture.width;
  });
}
