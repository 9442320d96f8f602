/** Where the parts of a film lie on a network's canvas, and how a map of the canvas is brought back onto the film. */

import type { Knee } from "./knees";
import { cropped, plane } from "./plane";
import { warp } from "./raster/scaling";
import { roundHalfEven } from "./rounding";
import type { Frame, Plane } from "./types";

/** Height and width. */
export type Shape = readonly [number, number];

/**
 * One rectangle of the film and the rectangle of the canvas that it is scaled to.
 *
 * `source` may reach beyond the film. `target` lies in `panel`, the part of the canvas that is kept for it alone.
 */
export interface Placement {
  readonly source: Frame;
  readonly target: Frame;
  readonly panel: Frame;
  readonly mirrored: boolean;
}

/** What of a film lies where on a canvas, in pixels; `knees` are those that were found, null where none were sought. */
export interface Layout {
  readonly film: Shape;
  readonly canvas: Shape;
  readonly placements: readonly Placement[];
  readonly knees: readonly Knee[] | null;
}

/** The whole film, as large as the canvas allows, in its middle. */
export function layOutFilm(film: Shape, canvas: Shape): Layout {
  return { film, canvas, placements: [whole(film, box(0, 0, canvas[0], canvas[1]))], knees: null };
}

/**
 * A square around each knee, of so many condyle widths, in the canvas's left and right half, the fibula on the right.
 *
 * One knee fills both halves, so that what is averaged over the canvas is its own; with no knee the whole film does.
 */
export function layOutKnees(film: Shape, knees: readonly Knee[], canvas: Shape, cropWidths: number): Layout {
  const half = Math.floor(canvas[1] / 2);
  const panels = [box(0, 0, canvas[0], half), box(0, half, canvas[0], canvas[1] - half)] as const;
  const [first, last] = [knees[0], knees[knees.length - 1]];
  if (!first || !last) {
    return { film, canvas, placements: panels.map((panel) => whole(film, panel)), knees: [] };
  }
  const placements = [around(first, panels[0], cropWidths), around(last, panels[1], cropWidths)];
  return { film, canvas, placements, knees };
}

/** The largest box of the aspect of `shape` that lies centred in the panel. */
export function fit([height, width]: Shape, panel: Frame): Frame {
  const scale = Math.min(panel.height / height, panel.width / width);
  const down = Math.min(panel.height, Math.max(1, roundHalfEven(height * scale)));
  const across = Math.min(panel.width, Math.max(1, roundHalfEven(width * scale)));
  const top = panel.top + Math.floor((panel.height - down) / 2);
  return box(top, panel.left + Math.floor((panel.width - across) / 2), down, across);
}

/**
 * Bring a picture of the canvas, of any resolution, back onto the film at a `shape` of it; bilinear.
 *
 * Where placements overlap the larger value counts, and film that lies nowhere on the canvas gets 0.
 */
export function fromCanvas(canvas: Plane, layout: Layout, shape: Shape): Plane {
  const film = plane(shape[0], shape[1]);
  film.data.fill(-Infinity);
  for (const placement of layout.placements) {
    bringBack(canvas, placement, layout, film);
  }
  return plane(film.height, film.width, film.data.map((value) => (value === -Infinity ? 0 : value)));
}

function box(top: number, left: number, height: number, width: number): Frame {
  return { top, left, height, width };
}

function whole(film: Shape, panel: Frame): Placement {
  return { source: box(0, 0, film[0], film[1]), target: fit(film, panel), panel, mirrored: false };
}

function around(knee: Knee, panel: Frame, cropWidths: number): Placement {
  const side = Math.max(1, roundHalfEven(cropWidths * knee.width));
  const source = box(roundHalfEven(knee.y - side / 2), roundHalfEven(knee.x - side / 2), side, side);
  return { source, target: fit([side, side], panel), panel, mirrored: !knee.fibulaRight };
}

/** Put into the film what this placement shows of it. */
function bringBack(canvas: Plane, placement: Placement, layout: Layout, film: Plane): void {
  const { source, target } = placement;
  const { cells, top, left } = panelOf(canvas, placement.panel, layout.canvas);
  const [stepY, stepX] = [layout.film[0] / film.height, layout.film[1] / film.width];
  const [perY, perX] = [canvas.height / layout.canvas[0], canvas.width / layout.canvas[1]];
  const down = target.height / source.height;
  let across = target.width / source.width;
  let shiftX = target.left - across * source.left;
  if (placement.mirrored) {
    [across, shiftX] = [-across, 2 * target.left + target.width - shiftX];
  }
  const shiftY = target.top - down * source.top;
  const move = {
    scaleX: across * stepX * perX,
    shiftX: (shiftX + (across * stepX) / 2) * perX - (left + 0.5),
    scaleY: down * stepY * perY,
    shiftY: (shiftY + (down * stepY) / 2) * perY - (top + 0.5),
  };
  const shown = warp(cells, move, film.height, film.width, "linear", true);
  const isIn = (place: number, step: number, from: number, length: number) =>
    (place + 0.5) * step >= from && (place + 0.5) * step < from + length;
  for (let row = 0, place = 0; row < film.height; row++) {
    const rowIn = isIn(row, stepY, source.top, source.height);
    for (let column = 0; column < film.width; column++, place++) {
      if (rowIn && isIn(column, stepX, source.left, source.width)) {
        film.data[place] = Math.max(film.data[place]!, shown.data[place]!);
      }
    }
  }
}

/** The cells of a picture of the canvas that the panel touches, and the first one's row and column. */
function panelOf(canvas: Plane, panel: Frame, size: Shape): { cells: Plane; top: number; left: number } {
  const top = Math.floor((panel.top * canvas.height) / size[0]);
  const left = Math.floor((panel.left * canvas.width) / size[1]);
  const bottom = Math.ceil(((panel.top + panel.height) * canvas.height) / size[0]);
  const right = Math.ceil(((panel.left + panel.width) * canvas.width) / size[1]);
  return { cells: cropped(canvas, top, bottom, left, right), top, left };
}
