/** DXA results: in words, and out of the form for one that came back. */

import { fixed } from "../core/rounding";
import { DXAS, type Dxa } from "../history/entry";
import { say } from "./say";
import type { ScreenTables } from "./shared";
import { plainNumber } from "./typed";

/** What the clinic entered, in a few words; "" where it is nothing. No patient is called normal. */
export function dxaWords(dxa: Dxa | null, tScore: number | null, tables: ScreenTables): string {
  const saysItAll = tScore !== null && dxa === "normal" && categoryOf(tScore) === "normal";
  const words = dxa === null || saysItAll ? [] : [say(tables.dxa.words[dxa])];
  if (tScore !== null) words.push(say("T-score {score}", { score: fixed(Number(fixed(tScore, 1)) + 0, 1) }));
  return words.join(", ");
}

/** The category of a T-score after the WHO (Technical Report Series 843, 1994). */
export function categoryOf(tScore: number): Dxa {
  if (tScore <= -2.5) return "osteoporosis";
  return tScore < -1 ? "osteopenia" : "normal";
}

/** What the form says; both null where it is empty or has a problem. A hint does not keep anyone from going on. */
export interface DxaReading {
  readonly dxa: Dxa | null;
  readonly tScore: number | null;
  readonly problem: string;
  readonly hint: string;
}

/** Read the form; where only the T-score was typed, the category is that of the T-score. */
export function readDxaForm(result: string, text: string, tables: ScreenTables): DxaReading {
  const dxa = DXAS.find((one) => one === result) ?? null;
  const typed = plainNumber(text).replace(",", ".");
  const problem = problemOf(typed, tables.dxa.maxTScore);
  if (problem || !typed) return { dxa: problem ? null : dxa, tScore: null, problem, hint: "" };
  const tScore = Number(fixed(Number(typed), 1)) + 0;
  return { dxa: dxa ?? categoryOf(tScore), tScore, problem: "", hint: hintOf(dxa, tScore, typed, tables) };
}

function problemOf(typed: string, most: number): string {
  if (!typed) return "";
  if (!/^[+-]?[0-9]{1,3}(\.[0-9]{1,3})?$/.test(typed)) return say("T-score with a sign, such as -1.8");
  return Math.abs(Number(typed)) > most ? say("T-score must be from -{most} to {most}", { most }) : "";
}

function hintOf(dxa: Dxa | null, tScore: number, typed: string, tables: ScreenTables): string {
  const category = categoryOf(tScore);
  if (dxa !== null && dxa !== category) {
    return say("This T-score alone means: {category}. Check both.", { category: say(tables.dxa.words[category]) });
  }
  return tScore > 0 && !typed.startsWith("+") ? say("This T-score has no minus sign. Check it.") : "";
}
