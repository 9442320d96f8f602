/** Radiograph pixels to network input: the one place where an image is prepared (`osteo_edge.preprocessing`). */

import { applyFilters } from "./filters";
import type { KneeTemplate } from "./knee_template";
import { findKnees } from "./knees";
import { layOutFilm, layOutKnees } from "./layout";
import type { Layout, Placement, Shape } from "./layout";
import type { InputSpec } from "./manifest";
import { mirrored, plane } from "./plane";
import { cutOut, enlarge, shrink } from "./raster/scaling";
import { percentile } from "./raster/statistics";
import type { Shared } from "./shared";
import type { Plane } from "./types";

/** What of the image lies where on the network's canvas; for "knees", this is where they are looked for. */
export function layOut(pixels: Plane, spec: InputSpec, template: KneeTemplate): Layout {
  const film: Shape = [pixels.height, pixels.width];
  const canvas: Shape = [spec.height, spec.width];
  return spec.resize === "letterbox"
    ? layOutFilm(film, canvas)
    : layOutKnees(film, findKnees(pixels, template), canvas, template.known.cropWidths);
}

/**
 * The image on the network's canvas, filtered: (spec.height, spec.width) in [0, 1].
 *
 * The filters see each part of the film alone: the canvas around it would give them an edge that is none.
 */
export function toPlane(pixels: Plane, spec: InputSpec, layout: Layout, stretch: Shared["stretchPercentiles"]): Plane {
  const canvas = plane(layout.canvas[0], layout.canvas[1]);
  for (const placement of layout.placements) {
    const part = scaled(pixels, placement);
    const shown = applyFilters(spec.resize === "knees" ? stretched(part, stretch) : part, spec.filters);
    for (let row = 0; row < shown.height; row++) {
      const line = shown.data.subarray(row * shown.width, (row + 1) * shown.width);
      canvas.data.set(line, (placement.target.top + row) * canvas.width + placement.target.left);
    }
  }
  return canvas;
}

/** The plane as the network takes it: (1, height, width, channels) in the range that it was trained on. */
export function normalized(canvas: Plane, spec: InputSpec): Float32Array {
  const { scale, offset } = spec.normalization;
  const tensor = new Float32Array(canvas.data.length * spec.channels);
  for (let channel = 0; channel < spec.channels; channel++) {
    const [factor, summand] = [Math.fround(scale[channel]!), Math.fround(offset[channel]!)];
    for (let place = 0; place < canvas.data.length; place++) {
      tensor[place * spec.channels + channel] = Math.fround(canvas.data[place]! * factor) + summand;
    }
  }
  return tensor;
}

/**
 * The placement's part of the film at its size on the canvas.
 *
 * Area averaging when shrinking, so that a 10-megapixel film does not alias; bilinear when enlarging.
 */
function scaled(pixels: Plane, { source, target, mirrored: isMirrored }: Placement): Plane {
  const part = cutOut(pixels, source.top, source.left, source.height, source.width);
  const shrinks = target.height <= part.height && target.width <= part.width;
  const result = (shrinks ? shrink : enlarge)(part, target.height, target.width);
  return isMirrored ? mirrored(result) : result;
}

/** The contrast between two percentiles of the part made 0 to 1: a knee looks alike on a dark film. */
function stretched(part: Plane, [least, most]: readonly [number, number]): Plane {
  const low = percentile(part.data, least);
  const span = percentile(part.data, most) - low + 1e-6;
  return plane(part.height, part.width, part.data.map((value) => Math.min(Math.max((value - low) / span, 0), 1)));
}
