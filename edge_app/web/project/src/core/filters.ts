/** Classical image filters as steps of a bundle's preprocessing (`osteo_edge.filters`). */

import { plane } from "./plane";
import type { Grey } from "./plane";
import { canny, correlate, laplacian, sobel } from "./raster/edges";
import { evenOut } from "./raster/local_contrast";
import { to8Bit } from "./raster/tones";
import type { Plane } from "./types";

export type FilterKind = "sobel" | "prewitt" | "roberts" | "canny" | "sharpen" | "clahe";

/** One filter; what `amount` means depends on `kind`, as `osteo_edge.filters.Filter` says. */
export interface Filter {
  readonly kind: FilterKind;
  readonly amount: number;
}

const { fround } = Math;

const CLAHE_TILES = 8;
/** The lower of Canny's two thresholds as a share of the upper one. */
const CANNY_LOW = 0.4;
const STEEPEST = 4 * 255 * Math.sqrt(2);

const FILTERS: Readonly<Record<FilterKind, (image: Plane, amount: number) => Plane>> = {
  sobel: (image, amount) => {
    const { across, down } = sobel(image);
    return magnitude(across, down, amount / 4);
  },
  prewitt: (image, amount) => {
    const across = correlate(image, [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]);
    const down = correlate(image, [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]);
    return magnitude(across, down, amount / 3);
  },
  roberts: (image, amount) => {
    const falling = correlate(image, [[1, 0], [0, -1]]);
    return magnitude(falling, correlate(image, [[0, 1], [-1, 0]]), amount);
  },
  canny: (image, amount) => toPlane(canny(to8Bit(image), CANNY_LOW * (amount * STEEPEST), amount * STEEPEST)),
  sharpen: (image, amount) => {
    const [curved, factor] = [laplacian(image).data, fround(amount)];
    return changed(image, (value, place) => value - fround(factor * curved[place]!));
  },
  clahe: (image, amount) => toPlane(evenOut(to8Bit(image), amount, CLAHE_TILES)),
};

/** Apply the filters one after the other to an image in [0, 1]; the result is in [0, 1] again. */
export function applyFilters(image: Plane, filters: readonly Filter[]): Plane {
  return filters.reduce(
    (before, { kind, amount }) => changed(FILTERS[kind](before, amount), (value) => Math.min(Math.max(value, 0), 1)),
    image,
  );
}

/** The length of each gradient, times `factor`. */
function magnitude(across: Plane, down: Plane, factor: number): Plane {
  const times = fround(factor);
  return changed(across, (value, place) => fround(Math.sqrt(value ** 2 + down.data[place]! ** 2)) * times);
}

function changed(image: Plane, change: (value: number, place: number) => number): Plane {
  return plane(image.height, image.width, image.data.map(change));
}

/** Grey levels of 0 to 255 as samples in [0, 1]. */
function toPlane({ height, width, data }: Grey): Plane {
  return plane(height, width, Float32Array.from(data, (level) => level / 255));
}
