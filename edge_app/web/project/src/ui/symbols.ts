/** The outcomes' symbols, in the same shapes as in the Kivy app and on paper. */

import type { Outcome } from "../core/types";
import { svg } from "./dom";

/** A triangle with an exclamation mark to refer, a disc with a dash for no finding (never a tick), a diamond with three
 * dots where it is uncertain, a square with a cross if rejected. The words stand beside it. */
export function symbol(outcome: Outcome): SVGElement {
  const frame = { class: `symbol ${outcome}`, viewBox: "0 0 36 36", "aria-hidden": "true", focusable: "false" };
  return svg("svg", frame, ...SHAPES[outcome]());
}

const SHAPES: Readonly<Record<Outcome, () => SVGElement[]>> = {
  refer: () => [
    svg("polygon", { class: "shape", points: "18,1 36,34 0,34" }),
    svg("line", { class: "stroke", x1: 18, y1: 12, x2: 18, y2: 23 }),
    dot(18, 29),
  ],
  no_finding: () => [
    svg("circle", { class: "shape", cx: 18, cy: 18, r: 18 }),
    svg("line", { class: "stroke", x1: 10, y1: 18, x2: 26, y2: 18 }),
  ],
  uncertain: () => [
    svg("polygon", { class: "shape", points: "18,0 36,18 18,36 0,18" }),
    dot(11, 18),
    dot(18, 18),
    dot(25, 18),
  ],
  rejected: () => [
    svg("rect", { class: "shape", width: 36, height: 36 }),
    svg("line", { class: "stroke", x1: 11, y1: 11, x2: 25, y2: 25 }),
    svg("line", { class: "stroke", x1: 11, y1: 25, x2: 25, y2: 11 }),
  ],
};

function dot(x: number, y: number): SVGElement {
  return svg("circle", { class: "dot", cx: x, cy: y, r: 2.4 });
}
