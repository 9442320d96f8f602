/** The probability of a screening in words, with as many decimals as it takes to see on which side of a bound it is. */

import { fixed } from "../core/rounding";
import type { Entry } from "../history/entry";
import { labelWords } from "./bone_words";
import { say } from "./say";
import type { ScreenTables } from "./shared";

/** The probability as a sentence, and what the marks of its bar stand for; `uncertain` is null without a band. */
export interface ProbabilityWords {
  readonly sentence: string;
  readonly image: string;
  readonly operatingPoint: string;
  readonly uncertain: string | null;
}

/** The ends of the uncertain band; null where there is none, or nothing in it. */
export function bandOf(entry: Entry): readonly [number, number] | null {
  const { abstain_low: low, abstain_high: high } = entry;
  return low === null || high === null || !(low < high) ? null : [low, high];
}

/** The words; null of an answer without a number. */
export function probabilityWords(entry: Entry, tables: ScreenTables): ProbabilityWords | null {
  if (entry.score === null) return null;
  const band = bandOf(entry);
  const digits = tellingDigits(entry.score, [entry.threshold, ...(band ?? [])]);
  const told = (probability: number): string => say(inWords(probability, digits));
  const labels = Object.entries(entry.probabilities)
    .map(([label, value]) => `${labelWords(label, tables)} ${told(value)}`)
    .join(", ");
  return {
    sentence: say("Calibrated probability that the model gives: {score} ({labels})", {
      score: told(entry.score),
      labels,
    }),
    image: say("this image {score}", { score: told(entry.score) }),
    operatingPoint: say("operating point {threshold}: referred from here on", {
      threshold: fixed(entry.threshold, digits),
    }),
    uncertain:
      band && say("uncertain from {low} to {high}", { low: fixed(band[0], digits), high: fixed(band[1], digits) }),
  };
}

/** A probability with so many decimals; never a round 0 or 1, which would read as ruled out or as certain. */
export function inWords(probability: number, digits = 2): string {
  const shown = fixed(probability, digits);
  const least = 10 ** -digits;
  if (Number(shown) <= 0) return `below ${least.toFixed(digits)}`;
  if (Number(shown) >= 1) return `above ${(1 - least).toFixed(digits)}`;
  return shown;
}

function tellingDigits(score: number, bounds: readonly number[]): number {
  for (let digits = 2; digits < 9; digits++) {
    const isTold = bounds.every((bound) => bound === score || fixed(score, digits) !== fixed(bound, digits));
    if (isTold) return digits;
  }
  return 9;
}
