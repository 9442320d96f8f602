/** A film as a grey PNG file, which holds its pixels and not a word about the patient. */

import { encode } from "fast-png";

import { fullScaleOf } from "./decode/samples";
import { roundHalfEven } from "./rounding";
import type { Plane } from "./types";

const MOST = 0xffff;
/** The fastest, at which a film takes a fraction of a second; the best one makes it a tenth smaller. */
const LEVEL = 1;

/**
 * The file of pixels in [0, 1]: of 16 bits, and of 8 for a film that is dark all over. What is read again of 16 bits is
 * stretched to those in use (`fullScaleOf`), and that film would come back brighter.
 */
export function greyPng({ height, width, data: pixels }: Plane): Uint8Array<ArrayBuffer> {
  const fine = new Uint16Array(pixels.length);
  pixels.forEach((value, place) => (fine[place] = roundHalfEven(MOST * value)));
  const isFine = fullScaleOf({ height, width, channels: 1, data: fine }) === MOST;
  const data = isFine ? fine : Uint8Array.from(pixels, (value) => roundHalfEven(255 * value));
  const picture = { width, height, data, depth: isFine ? 16 : 8, channels: 1 } as const;
  return new Uint8Array(encode(picture, { zlib: { level: LEVEL } }));
}
