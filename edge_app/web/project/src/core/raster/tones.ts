/** Grey levels: 256 of them from a picture in [0, 1], how often each occurs (`osteo_edge.raster.plain.tones`). */

import { toBytes } from "../plane";
import type { Grey } from "../plane";
import { roundHalfEven } from "../rounding";
import type { Plane } from "../types";

const SMALLEST = 2 ** -23;

/** Pixels in [0, 1] as grey levels of 0 to 255, rounded to the nearest; what lies beyond is cut off there. */
export function to8Bit(pixels: Plane): Grey {
  const level = (value: number) => Math.min(Math.max(roundHalfEven(Math.fround(value * 255)), 0), 255);
  return { height: pixels.height, width: pixels.width, data: toBytes(pixels.data, level) };
}

/** How many samples have each of the 256 grey levels. */
export function histogram(grey: Grey): Float64Array {
  const counts = new Float64Array(256);
  for (const level of grey.data) {
    counts[level]! += 1;
  }
  return counts;
}

/** The grey level up to which a picture is dark, the rest bright (Otsu 1979). */
export function otsu(grey: Grey): number {
  const shares = histogram(grey).map((count) => Math.fround(count / grey.data.length));
  const whole = shares.reduce((sum, share, level) => sum + share * level, 0);
  let [dark, moment, best, highest] = [0, 0, 0, 0];
  shares.forEach((share, level) => {
    dark += share;
    moment += share * level;
    const bright = 1 - dark;
    if (Math.min(dark, bright) >= SMALLEST && Math.max(dark, bright) <= 1 - SMALLEST) {
      const apart = dark * bright * (moment / dark - (whole - moment) / bright) ** 2;
      if (apart > highest) {
        [best, highest] = [level, apart];
      }
    }
  });
  return best;
}
