/** Where in a film the model saw evidence for its answer, from the class-activation map that it gives beside it. */

import { fromCanvas } from "./layout";
import type { Layout } from "./layout";
import type { Head, Manifest } from "./manifest";
import { fitted, plane } from "./plane";
import type { Prediction } from "./runtime";
import type { Plane } from "./types";

/**
 * Where the model saw evidence for the positive labels: in [0, 1], 1 in the strongest region.
 *
 * The film's shape, shrunk to `longestPx`; 0 where the film lies nowhere on the canvas. The class-activation map (Zhou
 * et al. 2016) of the positive labels less that of the others; below zero is cut. Of the labels of one `head` alone,
 * where one answered. Null without a map of numbers.
 */
export function evidenceOf(
  prediction: Prediction,
  manifest: Manifest,
  layout: Layout,
  longestPx: number,
  head: Head | null = null,
): Plane | null {
  const map = prediction.activationMap;
  if (!map || !map.data.every((value) => Number.isFinite(value))) {
    return null;
  }
  const { labels, decision } = head ?? manifest;
  const placesOf = (some: readonly string[]) => some.map((label) => manifest.labels.indexOf(label));
  const positive = placesOf(decision.positive_labels);
  const others = placesOf(labels.filter((label) => !decision.positive_labels.includes(label)));
  const net = plane(map.rows, map.columns);
  for (let cell = 0; cell < net.data.length; cell++) {
    const values = map.data.subarray(cell * manifest.labels.length, (cell + 1) * manifest.labels.length);
    const most = (places: readonly number[]) => Math.max(...places.map((place) => values[place]!));
    net.data[cell] = Math.max(most(positive) - (others.length ? most(others) : 0), 0);
  }
  const shape = fitted(layout.film[0], layout.film[1], longestPx);
  const film = fromCanvas(net, layout, shape);
  const strongest = film.data.reduce((most, value) => Math.max(most, value), 0);
  return strongest > 0 ? plane(film.height, film.width, film.data.map((value) => value / strongest)) : film;
}
