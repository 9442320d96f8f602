/** From a model's logits to an answer: calibration, score, decision (`osteo_edge.screening`). */

import type { Decision } from "./manifest";
import type { Line } from "./messages";
import { fixed } from "./rounding";
import type { LabelProbability, Outcome } from "./types";

/** Softmax of logits / temperature. */
export function calibrated(logits: Float32Array, temperature: number): Float64Array {
  const scaled = Float64Array.from(logits, (logit) => logit / temperature);
  const most = scaled.reduce((one, other) => Math.max(one, other));
  const exponentials = scaled.map((value) => Math.exp(value - most));
  const whole = exponentials.reduce((sum, value) => sum + value, 0);
  return exponentials.map((value) => value / whole);
}

/** The summed probability of the positive labels, each of them given: what the threshold is compared with. */
export function scoreOf(positive: readonly LabelProbability[]): number {
  return positive.reduce((sum, { value }) => sum + value, 0);
}

/** The outcome for one score, and why in one clause; a model that gave no number has given no answer. */
export function decide(score: number, decision: Decision, line: Line): { outcome: Outcome; reason: string } {
  if (!Number.isFinite(score)) {
    return { outcome: "uncertain", reason: line("the model gave no number") };
  }
  const { abstain_low: low, threshold, abstain_high: high } = decision;
  const digits = tellingDigits(score, [low, threshold, high]);
  const number = line("score ", { score: probabilityInWords(score, line, digits) });
  const values = { number, low: fixed(low, digits), high: fixed(high, digits), threshold: fixed(threshold, digits) };
  if (low <= score && score < high) {
    return { outcome: "uncertain", reason: line("{number} lies between", values) };
  }
  return score >= threshold
    ? { outcome: "refer", reason: line("{number} is at or above", values) }
    : { outcome: "no_finding", reason: line("{number} is below", values) };
}

/** Two decimals, or as many as it takes to see on which side of each bound the score lies. */
export function tellingDigits(score: number, bounds: readonly number[]): number {
  const others = bounds.filter((bound) => bound !== score);
  for (let digits = 2; digits < 9; digits++) {
    if (others.every((bound) => Number(fixed(score, digits)) !== Number(fixed(bound, digits)))) {
      return digits;
    }
  }
  return 9;
}

/** A probability with so many decimals; never a round 0 or 1, which would read as ruled out or as certain. */
export function probabilityInWords(probability: number, line: Line, digits = 2): string {
  const shown = fixed(probability, digits);
  const least = 10 ** -digits;
  if (Number(shown) <= 0) {
    return line("below {least}", { least: fixed(least, digits) });
  }
  return Number(shown) >= 1 ? line("above {most}", { most: fixed(1 - least, digits) }) : shown;
}
