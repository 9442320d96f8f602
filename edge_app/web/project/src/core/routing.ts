/** Which bone a film shows, by a model that answers for several, and what follows from it (`osteo_edge.routing`). */

import { probabilityInWords } from "./decision";
import type { Head, Manifest } from "./manifest";
import type { Line } from "./messages";

/**
 * The head that answers for a film, and how probable it is that the film shows its bone.
 *
 * `given` is the bone that the user named, where that overrides what the router says; `head` is then that bone's, and
 * `found` and `confidence` are still the router's.
 */
export interface Route {
  readonly head: Head;
  readonly found: string;
  readonly confidence: number;
  readonly given: string | null;
}

/**
 * Whose head answers; null for a model of one question, and where the probabilities are no numbers.
 *
 * RangeError for a `bone` that the model does not know.
 */
export function route(probabilities: Float64Array, manifest: Manifest, bone: string | null): Route | null {
  const named = bone === null ? null : namedHead(bone, manifest);
  const [first] = boneProbabilities(probabilities, manifest);
  return first ? { head: named ?? first.head, found: first.head.bone, confidence: first.value, given: bone } : null;
}

/** The head of a bone; RangeError where the model has none. */
export function namedHead(bone: string, { name, router }: Manifest): Head {
  const head = router?.heads.find((one) => one.bone === bone);
  if (!head) {
    throw new RangeError(`${name} does not know the bone ${bone}`);
  }
  return head;
}

/** Which bone a film was taken for, beside what the user said where that overrides it. */
export function routeWords({ head, found, confidence, given }: Route, line: Line): string {
  const values = { bone: head.bone, found, probability: probabilityInWords(confidence, line) };
  return line(given === null ? "taken for: " : "read as {bone}", values);
}

/** Why no head may answer for a film, in words for the user; null where one may, and for no numbers. */
export function doubt(probabilities: Float64Array, manifest: Manifest, line: Line): string | null {
  const [first, second] = boneProbabilities(probabilities, manifest);
  if (!manifest.router || !first || !second || first.value >= manifest.router.min_confidence) {
    return null;
  }
  return line("it is not clear which bone", {
    bone: first.head.bone,
    probability: probabilityInWords(first.value, line),
    other: second.head.bone,
    less: probabilityInWords(second.value, line),
  });
}

/** The probabilities of all labels as they are if the film shows the head's bone; NaN where that is ruled out. */
export function givenBone(probabilities: Float64Array, head: Head, { labels }: Manifest): Float64Array {
  const own = probabilities.map((value, place) => (head.labels.includes(labels[place]!) ? value : 0));
  const whole = own.reduce((sum, value) => sum + value, 0);
  return own.map((value) => value / whole);
}

/** How probable each head's bone is, the most probable first; nothing of a model of one question, or of no numbers. */
function boneProbabilities(probabilities: Float64Array, { labels, router }: Manifest): { head: Head; value: number }[] {
  if (!router || !probabilities.every((value) => Number.isFinite(value))) {
    return [];
  }
  const ofHead = (head: Head) => head.labels.reduce((sum, label) => sum + probabilities[labels.indexOf(label)]!, 0);
  return router.heads.map((head) => ({ head, value: ofHead(head) })).sort((one, other) => other.value - one.value);
}
