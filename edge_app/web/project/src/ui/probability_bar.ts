/** A probability from 0 to 1: the uncertain band hatched, the operating point a line across, the score a pointer. */

import type { Entry } from "../history/entry";
import { el, newElementId, svg } from "./dom";
import { words } from "./kit";
import { bandOf, type ProbabilityWords } from "./probability_words";
import { say } from "./say";

const WIDTH = 1000;
const ROOM = 12;

/** The sentence, the bar, and what its marks stand for, folded away; `told` is null of an answer without a number. */
export function probabilityPart(entry: Entry, told: ProbabilityWords | null, noProbability: string): HTMLElement {
  if (told === null || entry.score === null) return el("section", { class: "card" }, words(noProbability));
  const marks: readonly (readonly [Mark, string | null])[] = [
    ["pointer", told.image],
    ["line", told.operatingPoint],
    ["hatch", told.uncertain],
  ];
  return el(
    "details",
    { class: "card probability" },
    el("summary", {}, say("The probability that the model gives")),
    words(told.sentence),
    bar(entry, entry.score),
    el(
      "ul",
      { class: "marks" },
      ...marks.map(
        ([mark, text]) =>
          text &&
          el(
            "li",
            {},
            svg("svg", { class: "mark-line", viewBox: "0 0 18 14", "aria-hidden": "true" }, ...MARKS[mark]()),
            text,
          ),
      ),
    ),
  );
}

type Mark = "pointer" | "line" | "hatch";

const MARKS: Readonly<Record<Mark, () => SVGElement[]>> = {
  pointer: () => [svg("polygon", { class: "ink", points: "4,3 14,3 9,11" })],
  line: () => [svg("rect", { class: "ink", x: 7.5, y: 0, width: 3, height: 14 })],
  hatch: () => [
    svg("rect", { class: "band", x: 1, y: 1, width: 16, height: 12 }),
    ...[5, 9, 13].map((x) => svg("line", { class: "band", x1: x, y1: 1, x2: x, y2: 13 })),
  ],
};

function bar(entry: Entry, score: number): SVGElement {
  const at = (probability: number): number => ROOM + (WIDTH - 2 * ROOM) * Math.min(1, Math.max(0, probability));
  const band = bandOf(entry);
  const id = newElementId();
  const hatched =
    band === null
      ? []
      : [
          svg(
            "defs",
            {},
            svg(
              "pattern",
              { id, width: 10, height: 10, patternUnits: "userSpaceOnUse" },
              svg("line", { class: "band", x1: 5, y1: 0, x2: 5, y2: 10 }),
            ),
          ),
          svg("rect", {
            class: "band",
            fill: `url(#${id})`,
            x: at(band[0]),
            y: 18,
            width: Math.max(1, at(band[1]) - at(band[0])),
            height: 40,
          }),
        ];
  return svg(
    "svg",
    { class: `bar ${entry.outcome}`, viewBox: `0 0 ${WIDTH} 66`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "ground", x: at(0), y: 18, width: at(1) - at(0), height: 40 }),
    svg("rect", { class: "shape", x: at(0), y: 30, width: at(score) - at(0), height: 16 }),
    ...hatched,
    svg("rect", { class: "ink", x: at(entry.threshold) - 3, y: 12, width: 6, height: 54 }),
    svg("polygon", { class: "ink", points: `${at(score) - 10},2 ${at(score) + 10},2 ${at(score)},16` }),
  );
}
