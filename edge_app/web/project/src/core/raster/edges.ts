/** Gradients, and edges along them (`osteo_edge.raster.plain.edges`): sums in OpenCV's order, in 32 bits. */

import { plane } from "../plane";
import type { Grey } from "../plane";
import type { Plane } from "../types";
import { continueEdges } from "./scaling";
import { mirroredPlace } from "./smoothing";

/** Weights by rows; of (rows, columns), half of each, rounded down, lies on the sample. */
type Kernel = readonly (readonly number[])[];

/** How much lighter it becomes towards the right and the bottom. */
interface Gradient {
  readonly across: Plane;
  readonly down: Plane;
}

const { fround } = Math;

const LAPLACIAN: Kernel = [
  [0, 1, 0],
  [1, -4, 1],
  [0, 1, 0],
];
/** The tangents of 22.5 and 67.5 degrees in steps of 1 / 2^15. */
const [SHALLOW, STEEP] = [13_573, 79_109] as const;
const WHOLE = 2 ** 15;

/** The sum of products of the kernel and what lies around each sample; mirrored about the outermost samples. */
export function correlate(picture: Plane, kernel: Kernel): Plane {
  const sums = plane(picture.height, picture.width);
  kernel.forEach((weights, line) =>
    weights.forEach((weight, place) => {
      if (weight) {
        const [below, after] = [line - Math.floor(kernel.length / 2), place - Math.floor(weights.length / 2)];
        addShifted(sums.data, picture, below, after, weight);
      }
    }),
  );
  return sums;
}

/** Sobel's gradient of 3 x 3: 4 for a step of 1; mirrored about the outermost samples. */
export function sobel(picture: Plane): Gradient {
  const differences = correlate(picture, [[-1, 0, 1]]);
  const smoothed = withMiddle(correlate(picture, [[1, 0, 1]]), picture);
  return {
    across: withMiddle(correlate(differences, [[1], [0], [1]]), differences),
    down: correlate(smoothed, [[-1], [0], [1]]),
  };
}

/** The sum of the four neighbours less four times the sample; mirrored about the outermost samples. */
export function laplacian(picture: Plane): Plane {
  return correlate(picture, LAPLACIAN);
}

/**
 * 255 on edges as thin as one sample, else 0 (Canny 1986): from steps above `high`, along those above `low`.
 *
 * A step is the length of Sobel's gradient of 3 x 3, so that black beside white has 4 * 255.
 */
export function canny(grey: Grey, low: number, high: number): Grey {
  const { height, width } = grey;
  const bordered = continueEdges(plane(height, width, Float32Array.from(grey.data)), 1, 1, 1, 1);
  const gradient = sobel(bordered);
  const steps = squaredInside(gradient);
  const ridges = ridgesOf(steps, gradient, Math.floor(low * low));
  const strong = Math.floor(high * high);
  const edges = connected(ridges, bordered.width, (place) => steps[place]! > strong);
  const data = new Uint8Array(height * width);
  for (let row = 0; row < height; row++) {
    const start = (row + 1) * bordered.width + 1;
    data.set(edges.subarray(start, start + width), row * width);
  }
  return { height, width, data };
}

/** Add to each sum so much of the sample that lies so far below and after it. */
function addShifted(sums: Float32Array, picture: Plane, below: number, after: number, weight: number): void {
  const { height, width, data } = picture;
  const places = Int32Array.from({ length: width }, (_, column) => mirroredPlace(column + after, width));
  for (let row = 0, sample = 0; row < height; row++) {
    const start = mirroredPlace(row + below, height) * width;
    for (let column = 0; column < width; column++, sample++) {
      sums[sample] = fround(sums[sample]! + fround(data[start + places[column]!]! * weight));
    }
  }
}

/** The sums of both neighbours with twice the sample between them. */
function withMiddle(sums: Plane, middle: Plane): Plane {
  return plane(sums.height, sums.width, sums.data.map((sum, place) => sum + 2 * middle.data[place]!));
}

/** The squared length of each gradient of whole numbers, and 0 on the outermost samples. */
function squaredInside({ across, down }: Gradient): Int32Array {
  const { height, width } = across;
  const squares = new Int32Array(height * width);
  for (let row = 1; row < height - 1; row++) {
    for (let place = row * width + 1; place < (row + 1) * width - 1; place++) {
      squares[place] = across.data[place]! ** 2 + down.data[place]! ** 2;
    }
  }
  return squares;
}

/** 1 where a step above `least` has no larger one beside it in the direction of its gradient, else 0. */
function ridgesOf(steps: Int32Array, { across, down }: Gradient, least: number): Uint8Array {
  const ridges = new Uint8Array(steps.length);
  for (let place = 0; place < steps.length; place++) {
    const step = steps[place]!;
    if (step > least) {
      const [x, y] = [across.data[place]!, down.data[place]!];
      const [before, after, orSame] = neighboursAlong(x, y, across.width);
      const next = steps[place + after]!;
      ridges[place] = Number(step > steps[place + before]! && (step > next || (orSame && step === next)));
    }
  }
  return ridges;
}

/** Where, to the nearest 45 degrees, a gradient's two neighbours lie; and whether the second's step may be as large. */
function neighboursAlong(x: number, y: number, width: number): [number, number, boolean] {
  const [level, upright] = [Math.abs(x), Math.abs(y) * WHOLE];
  if (upright < level * SHALLOW) {
    return [-1, 1, true];
  }
  if (upright > level * STEEP) {
    return [-width, width, true];
  }
  const aside = x < 0 !== y < 0 ? 1 : -1;
  return [aside - width, width - aside, false];
}

/** 255 on the areas of a mask in which a place is chosen, else 0; the mask's outermost samples are 0. */
function connected(mask: Uint8Array, width: number, isChosen: (place: number) => boolean): Uint8Array {
  const kept = new Uint8Array(mask.length);
  const stack: number[] = [];
  const keep = (place: number) => {
    if (mask[place] && !kept[place]) {
      kept[place] = 255;
      stack.push(place);
    }
  };
  for (let first = 0; first < mask.length; first++) {
    if (isChosen(first)) {
      keep(first);
    }
    for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
      for (const row of [-width, 0, width]) {
        [-1, 0, 1].forEach((column) => keep(place! + row + column));
      }
    }
  }
  return kept;
}
