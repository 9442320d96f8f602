/** What keeps the history from doing something, as a sentence for the user. */

import { msg, say } from "../ui/say";

export class HistoryError extends Error {
  override readonly name = "HistoryError";
}

const FULL = msg("This device has no space left for this page: delete screenings, or free some space, and try again.");
const FORBIDDEN = msg(
  "This browser lets this page keep nothing, as in a private window: films can be screened, and nothing can be saved.",
);
const FAILED = msg("The browser's storage failed ({reason}): reload the page and try again.");

/** The sentence for an error of IndexedDB; an error that has its sentence already stays as it is. */
export function told(error: unknown): HistoryError {
  if (error instanceof HistoryError) return error;
  const name = error instanceof DOMException || error instanceof Error ? error.name : "";
  if (name === "QuotaExceededError") return new HistoryError(say(FULL), { cause: error });
  if (name === "SecurityError") return forbidden(error);
  return new HistoryError(say(FAILED, { reason: name || String(error) }), { cause: error });
}

/** That this page may keep nothing here. */
export function forbidden(cause?: unknown): HistoryError {
  return new HistoryError(say(FORBIDDEN), { cause });
}
