/** Where in a picture something like a smaller one lies, by the Fourier transform. */

import { plane } from "../plane";
import type { Plane } from "../types";
import type { Complex } from "./fourier";
import { fastLength, transform } from "./fourier";

/** The largest value, and the place of its first occurrence by rows. */
export interface Peak {
  readonly value: number;
  readonly row: number;
  readonly column: number;
}

/** The sum of products with the patch less its mean, wherever the patch fits on the plane. */
export function covariance(picture: Plane, patch: Plane): Plane {
  const height = fastLength(picture.height);
  const width = fastLength(picture.width);
  const mean = Math.fround(patch.data.reduce((sum, value) => sum + value, 0) / patch.data.length);
  const [re, im] = [placed(picture, 0, height, width), placed(patch, mean, height, width)];
  const both: Complex = { height, width, re, im };
  const products = transform(crossSpectrum(transform(both, -1)), 1);
  const result = plane(picture.height - patch.height + 1, picture.width - patch.width + 1);
  for (let row = 0; row < result.height; row++) {
    for (let column = 0; column < result.width; column++) {
      result.data[row * result.width + column] = products.re[row * width + column]! / (height * width);
    }
  }
  return result;
}

/** The highest place of a plane. */
export function highest(picture: Plane): Peak {
  let best = 0;
  for (let place = 1; place < picture.data.length; place++) {
    if (picture.data[place]! > picture.data[best]!) {
      best = place;
    }
  }
  return { value: picture.data[best]!, row: Math.floor(best / picture.width), column: best % picture.width };
}

function placed(picture: Plane, less: number, height: number, width: number): Float64Array {
  const data = new Float64Array(height * width);
  for (let row = 0; row < picture.height; row++) {
    for (let column = 0; column < picture.width; column++) {
      data[row * width + column] = Math.fround(picture.data[row * picture.width + column]! - less);
    }
  }
  return data;
}

/** The spectrum of the one real plane times the conjugate of the other's, of both transformed as one complex plane. */
function crossSpectrum({ height, width, re, im }: Complex): Complex {
  const result = { height, width, re: new Float64Array(re.length), im: new Float64Array(im.length) };
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const here = row * width + column;
      const there = ((height - row) % height) * width + ((width - column) % width);
      const oneRe = (re[here]! + re[there]!) / 2;
      const oneIm = (im[here]! - im[there]!) / 2;
      const otherRe = (im[here]! + im[there]!) / 2;
      const otherIm = (re[there]! - re[here]!) / 2;
      result.re[here] = oneRe * otherRe + oneIm * otherIm;
      result.im[here] = oneIm * otherRe - oneRe * otherIm;
    }
  }
  return result;
}
