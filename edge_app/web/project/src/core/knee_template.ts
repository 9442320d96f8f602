/** What a knee looks like to the finder: small drawn patches that are compared with the film (`knee_template`). */

import { cropped, plane } from "./plane";
import { warp } from "./raster/scaling";
import { gaussian } from "./raster/smoothing";
import { unpackedPlane } from "./shared";
import type { KneeConstants, Shared } from "./shared";
import type { Plane } from "./types";

/** What the finder knows: the patches of `osteo_edge.knee_template.KneeTemplate`, and its constants. */
export interface KneeTemplate {
  readonly coarse: Plane;
  readonly fine: Plane;
  readonly asymmetry: Plane;
  readonly known: KneeConstants;
}

export function openTemplate({ kneeTemplate, knees }: Shared): KneeTemplate {
  return {
    coarse: unpackedPlane(kneeTemplate.coarse),
    fine: unpackedPlane(kneeTemplate.fine),
    asymmetry: unpackedPlane(kneeTemplate.asymmetry),
    known: knees,
  };
}

/**
 * The square of `side` film pixels around (x, y), sampled at (size, size); the film's edge goes on beyond it.
 *
 * (x, y) counts from the film's top left corner, so that the middle of its first pixel is (0.5, 0.5).
 */
export function cut(film: Plane, x: number, y: number, side: number, size: number): Plane {
  const scale = size / side;
  const sigma = scale < 0.8 ? 0.3 / scale : 0; // less would alias
  const reach = side / 2 + 4 * sigma + 4; // of the blur and of the samples
  const [top, left] = [y, x].map((middle) => Math.max(Math.floor(middle - reach), 0)) as [number, number];
  const bottom = Math.min(Math.ceil(y + reach), film.height);
  const near = cropped(film, top, bottom, left, Math.min(Math.ceil(x + reach), film.width));
  const shift = (middle: number) => (size - 1) / 2 - scale * (middle - 0.5);
  const move = { scaleX: scale, shiftX: shift(x - left), scaleY: scale, shiftY: shift(y - top) };
  return warp(sigma ? gaussian(near, sigma) : near, move, size, size, scale < 1 ? "linear" : "cubic");
}

/** A film on which condyles are 32 pixels wide, made comparable with `coarse`. */
export function coarseFeatures(film: Plane): Plane {
  return evenOut(film, 6, 8, 0.05);
}

/** The knee at (x, y), of condyles of `width`, made comparable with `coarse` and `asymmetry`. */
export function coarsePatch(film: Plane, x: number, y: number, width: number, { known }: KneeTemplate): Plane {
  const side = (width * known.coarseSidePx) / known.coarseWidthPx;
  return coarseFeatures(cut(film, x, y, side, known.coarseSidePx));
}

/** A piece of film on which condyles are 52.5 pixels wide, made comparable with `fine`. */
export function fineFeatures(film: Plane): Plane {
  return evenOut(film, 5, 10, 0.03);
}

/** Local contrast normalization: less the mean around each pixel, over the deviation around it plus `floor`. */
function evenOut(film: Plane, meanSigma: number, deviationSigma: number, floor: number): Plane {
  const around = gaussian(film, meanSigma);
  const centred = plane(film.height, film.width, film.data.map((value, place) => value - around.data[place]!));
  const squares = plane(film.height, film.width, centred.data.map((value) => value * value));
  const spread = gaussian(squares, deviationSigma).data;
  const even = centred.data.map((value, place) => value / (Math.sqrt(Math.max(spread[place]!, 1e-8)) + floor));
  return plane(film.height, film.width, even);
}
