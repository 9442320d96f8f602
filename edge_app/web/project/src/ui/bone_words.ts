/** The bones that a model tells apart, and its labels for them, in the user's language. */

import type { Entry } from "../history/entry";
import { say } from "./say";
import type { ScreenTables } from "./shared";
import { shortened } from "./typed";

const MAX_BONE = 40;

/** Which bone the film was answered for; "" of a model that does not tell bones apart. */
export function boneWords(entry: Entry, tables: ScreenTables): string {
  return entry.bone === null ? "" : say("Bone: {bone}", { bone: boneName(entry.bone, tables) });
}

export function boneName(bone: string, tables: ScreenTables): string {
  return say(tables.bones[bone] ?? shortened(bone, MAX_BONE));
}

/** A label as it is shown: bone and finding side by side, since a bone has its gender in many languages. */
export function labelWords(label: string, tables: ScreenTables): string {
  const space = label.indexOf(" ");
  const bone = tables.bones[label.slice(0, Math.max(0, space))];
  const finding = bone === undefined ? label : label.slice(space + 1);
  const shown = say(tables.findingsOfBones[finding] ?? finding);
  return bone === undefined ? shown : `${say(bone)}: ${shown}`;
}
