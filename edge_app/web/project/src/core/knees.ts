/** Find the knees on a film: places that look like a drawn knee, at many scales, of which one or two are kept. */

import { propose, settle } from "./knee_matching";
import type { Place } from "./knee_matching";
import { coarsePatch } from "./knee_template";
import type { KneeTemplate } from "./knee_template";
import { fitted } from "./plane";
import { shrink } from "./raster/scaling";
import type { Plane } from "./types";

/** A knee on the film, whose place is the middle of its joint line, from the film's top left corner, in its pixels. */
export interface Knee extends Place {
  /** On which side of the film the fibula lies. */
  readonly fibulaRight: boolean;
}

/**
 * One or two knees, left to right on the film, or none where nothing looks like one.
 *
 * Made for frontal views. On a film of two knees the fibulas lie outside; of one knee, the side is read off its shape.
 */
export function findKnees(pixels: Plane, template: KneeTemplate): Knee[] {
  const { known } = template;
  const film = shrink(pixels, ...fitted(pixels.height, pixels.width, known.searchedPx));
  const longest = Math.max(film.height, film.width);
  const places = known.widths.flatMap((share) => propose(film, share * longest, template));
  const settled = distinct(places, known.proposals).map((place) => settle(film, place, template));
  const pair = pairOf(settled.sort(likelier), known.leastScore).sort((one, other) => one.x - other.x);
  const scale = Math.max(pixels.height, pixels.width) / longest;
  return pair.map((place, number) => ({
    x: place.x * scale,
    y: place.y * scale,
    width: place.width * scale,
    score: place.score,
    fibulaRight: pair.length === 2 ? number === 1 : fibulaRight(film, place, template),
  }));
}

function likelier(one: Place, other: Place): number {
  return other.score - one.score || other.x - one.x || other.y - one.y || other.width - one.width;
}

/** The best places, without those that settling would bring to the same knee as a better one. */
function distinct(places: readonly Place[], most: number): Place[] {
  const kept: Place[] = [];
  for (const place of [...places].sort(likelier)) {
    if (!kept.some((other) => isSame(place, other))) {
      kept.push(place);
    }
  }
  return kept.slice(0, most);
}

function isSame(place: Place, better: Place): boolean {
  const distance = Math.hypot(place.x - better.x, place.y - better.y);
  return distance < 0.25 * better.width && Math.abs(Math.log(place.width / better.width)) < 0.15;
}

/** The best place, and the best one that can be the other knee beside it; nothing if the best is no knee. */
function pairOf(places: readonly Place[], leastScore: number): Place[] {
  const best = places[0];
  if (!best || best.score < leastScore) {
    return [];
  }
  return [best, ...places.slice(1).filter((place) => isOtherKnee(place, best)).slice(0, 1)];
}

function isOtherKnee(place: Place, best: Place): boolean {
  const beside = Math.abs(place.x - best.x) > best.width && Math.abs(place.y - best.y) < 0.6 * best.width;
  return beside && Math.abs(Math.log(place.width / best.width)) < 0.2 && place.score > 0.55 * best.score;
}

function fibulaRight(film: Plane, place: Place, template: KneeTemplate): boolean {
  const patch = coarsePatch(film, place.x, place.y, place.width, template).data;
  return patch.reduce((sum, value, at) => sum + value * template.asymmetry.data[at]!, 0) > 0;
}
