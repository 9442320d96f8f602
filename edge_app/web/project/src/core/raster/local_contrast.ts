/** The contrast of small areas (`even_out` of `osteo_edge.raster.plain.edges`), in OpenCV's 32 bits. */

import type { Grey } from "../plane";
import { roundHalfEven } from "../rounding";
import { mirroredPlace } from "./smoothing";
import { histogram } from "./tones";

/** Of each sample along a side: the areas whose middles lie before and after it, and how far it is between them. */
interface Neighbours {
  readonly before: Int32Array;
  readonly after: Int32Array;
  readonly share: Float32Array;
}

const { fround } = Math;

/** Contrast-limited adaptive histogram equalization (Zuiderveld 1994) on `tiles` x `tiles` areas. */
export function evenOut(grey: Grey, clip: number, tiles: number): Grey {
  const { height, width } = grey;
  const fits = height % tiles === 0 && width % tiles === 0;
  const part = (side: number) => (fits ? side / tiles : Math.floor(side / tiles) + 1); // both sides grow, if either
  const [rows, columns] = [part(height), part(width)];
  const tables = Array.from({ length: tiles ** 2 }, (_, area) =>
    equalizing(areaOf(grey, Math.floor(area / tiles) * rows, (area % tiles) * columns, rows, columns), clip),
  );
  const [down, across] = [neighbours(height, rows, tiles), neighbours(width, columns, tiles)];
  const data = new Uint8Array(height * width);
  for (let row = 0, place = 0; row < height; row++) {
    const [above, below] = [down.before[row]! * tiles, down.after[row]! * tiles];
    for (let column = 0; column < width; column++, place++) {
      const [left, right] = [across.before[column]!, across.after[column]!];
      const value = (area: number) => tables[area]![grey.data[place]!]!;
      const upper = between(value(above + left), value(above + right), across.share[column]!);
      const lower = between(value(below + left), value(below + right), across.share[column]!);
      data[place] = roundHalfEven(between(upper, lower, down.share[row]!));
    }
  }
  return { height, width, data };
}

/** What lies within a box that may reach beyond the end of the picture, which is mirrored there. */
function areaOf(grey: Grey, top: number, left: number, height: number, width: number): Grey {
  const data = new Uint8Array(height * width);
  for (let row = 0, place = 0; row < height; row++) {
    const start = mirroredPlace(top + row, grey.height) * grey.width;
    for (let column = 0; column < width; column++, place++) {
      data[place] = grey.data[start + mirroredPlace(left + column, grey.width)]!;
    }
  }
  return { height, width, data };
}

/** The table that makes the area's levels equally frequent, none counted more than `clip` times the mean. */
function equalizing(area: Grey, clip: number): Float32Array {
  const size = area.data.length;
  const counts = histogram(area);
  const limit = Math.max(1, Math.floor((clip * size) / 256));
  const excess = counts.reduce((sum, count) => sum + Math.max(count - limit, 0), 0);
  const leftOver = excess % 256;
  const apart = Math.floor(256 / Math.max(leftOver, 1));
  const scale = fround(255 / size);
  let sum = 0;
  return Float32Array.from(counts, (count, level) => {
    const extra = level % apart === 0 && level < leftOver * apart ? 1 : 0;
    sum += Math.min(count, limit) + Math.floor(excess / 256) + extra;
    return Math.min(roundHalfEven(fround(sum * scale)), 255);
  });
}

function neighbours(side: number, part: number, tiles: number): Neighbours {
  const places = Float32Array.from({ length: side }, (_, place) => fround(place * fround(1 / part)) - 0.5);
  return {
    before: Int32Array.from(places, (place) => Math.max(Math.floor(place), 0)),
    after: Int32Array.from(places, (place) => Math.min(Math.floor(place) + 1, tiles - 1)),
    share: places.map((place) => place - Math.floor(place)),
  };
}

function between(first: number, second: number, share: number): number {
  return fround(fround(first * fround(1 - share)) + fround(second * share));
}
