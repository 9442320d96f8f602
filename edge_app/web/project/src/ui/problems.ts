/** What an error says to the user. */

import { ScreeningError } from "../core/types";
import { HistoryError } from "../history/errors";
import { say } from "./say";

/** The sentence of an error that has one for the user; a defect of the page is told as such. */
export function lineOf(error: unknown): string {
  if (error instanceof HistoryError) return error.message;
  if (error instanceof ScreeningError) return say(error.message);
  console.error(error);
  return say("Something unexpected happened: reload the page and try again.");
}
