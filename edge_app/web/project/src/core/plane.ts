/** Planes of samples (height, width) by rows, and what is taken out of them. */

import { roundHalfEven } from "./rounding";
import type { Plane } from "./types";

/** Grey levels of 0 to 255, (height, width) by rows. */
export interface Grey {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export function plane(height: number, width: number, data = new Float32Array(height * width)): Plane {
  return { height, width, data };
}

/** Each sample as a byte; `TypedArray.from` is twenty times as slow. */
export function toBytes(samples: Float32Array, level: (value: number) => number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(samples.length);
  for (let place = 0; place < samples.length; place++) {
    bytes[place] = level(samples[place]!);
  }
  return bytes;
}

/** The rows from `top` to below `bottom` and the columns from `left` to before `right`, copied. */
export function cropped(picture: Plane, top: number, bottom: number, left: number, right: number): Plane {
  const part = plane(bottom - top, right - left);
  for (let row = top; row < bottom; row++) {
    const start = row * picture.width;
    part.data.set(picture.data.subarray(start + left, start + right), (row - top) * part.width);
  }
  return part;
}

/** Rows become columns. */
export function transposed(picture: Plane): Plane {
  const turned = plane(picture.width, picture.height);
  for (let row = 0; row < picture.height; row++) {
    for (let column = 0; column < picture.width; column++) {
      turned.data[column * picture.height + row] = picture.data[row * picture.width + column]!;
    }
  }
  return turned;
}

/** Left and right exchanged. */
export function mirrored(picture: Plane): Plane {
  const other = plane(picture.height, picture.width, picture.data.slice());
  for (let row = 0; row < picture.height; row++) {
    other.data.subarray(row * picture.width, (row + 1) * picture.width).reverse();
  }
  return other;
}

/** The picture with its sides at most `longestPx`, in whole pixels, one at least: [height, width]. */
export function fitted(height: number, width: number, longestPx: number): [number, number] {
  const scale = Math.min(1, longestPx / Math.max(height, width));
  return [Math.max(1, roundHalfEven(height * scale)), Math.max(1, roundHalfEven(width * scale))];
}
