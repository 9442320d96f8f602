/** What a screening says to its reader: the lines of the result, in the user's language, in the Kivy app's order. */

import type { Entry, Patient } from "../history/entry";
import { boneWords } from "./bone_words";
import { dxaWords } from "./dxa_words";
import { ostOf } from "./ost";
import { probabilityWords, type ProbabilityWords } from "./probability_words";
import { say } from "./say";
import type { ScreenTables } from "./shared";
import { shortened } from "./typed";

const HASH_DIGITS = 12;
const MAX_NAME = 200;

/** The lines, each ready to be shown; "" where there is nothing to say. The mark of a demonstration is the first warning. */
export interface AnswerWords {
  readonly headline: string;
  readonly advice: string;
  readonly warnings: readonly string[];
  readonly reasons: readonly string[];
  readonly probability: ProbabilityWords | null;
  readonly noProbability: string;
  readonly bone: string;
  readonly taken: string;
  readonly patient: readonly string[];
  readonly ost: string;
  readonly aboutOst: string;
  readonly dxa: string;
  readonly decision: string;
  readonly note: string;
  readonly intendedUse: string;
  readonly origin: readonly string[];
}

export function answerWords(entry: Entry, tables: ScreenTables): AnswerWords {
  const probability = probabilityWords(entry, tables);
  const ost = entry.finding === "density" ? ostOf(entry, tables) : null;
  const noOst = entry.finding === "density" ? say("OST index: not known without age and weight.") : "";
  const entered = dxaWords(entry.dxa, entry.t_score, tables);
  return {
    headline: headline(entry, tables),
    advice: say(tables.wording.advice[entry.finding][entry.outcome]),
    warnings: [...(entry.is_demo ? [tables.mark] : []), ...entry.warnings].map((warning) => say(shortened(warning))),
    reasons: entry.reasons.map((reason) => say(shortened(reason))),
    probability,
    noProbability: probability ? "" : say("No probability: the model gave no answer from this image."),
    bone: boneWords(entry, tables),
    taken: say("Screened: {moment}", { moment: localMoment(entry.taken_at) }),
    patient: patientWords(entry, tables),
    ost: ost === null ? noOst : say("OST index {index}: {group}.", { index: ost.index, group: say(ost.group) }),
    aboutOst: ost === null ? "" : say(tables.ost.about),
    dxa: entered && say("DXA result, entered by the clinic: {result}", { result: entered }),
    decision: shortened(decisionWords(entry)),
    note: entry.note.trim() && say("Note: {note}", { note: shortened(entry.note) }),
    intendedUse: say(
      shortened(
        entry.intended_use ??
          "Not kept by the version of this program that made the screening: see the model's own card.",
      ),
    ),
    origin: [
      say("Model {name}, SHA-256 {hash}", {
        name: shortened(entry.model_name, MAX_NAME),
        hash: short(entry.model_sha256),
      }),
      say("Image, SHA-256 {hash}", { hash: short(entry.image_sha256) }),
      say("Software: {software}", { software: shortened(entry.software, MAX_NAME) }),
    ],
  };
}

export function headline(entry: Entry, tables: ScreenTables): string {
  return say(tables.wording.headlines[entry.finding][entry.outcome]);
}

/** What a screen reader says of an answer, which others may hear: nothing of the patient. */
export function spoken(words: AnswerWords): string {
  const probability = words.probability?.sentence ?? words.noProbability;
  const bone = words.bone && `${words.bone}.`;
  return [...words.warnings, words.headline, bone, words.advice, probability].filter(Boolean).join(" ");
}

/** A time of the history as the clock on the wall shows it, to the minute; the same in every language. */
export function localMoment(takenAt: string): string {
  const moment = new Date(takenAt);
  const [month, day, hours, minutes] = [
    moment.getMonth() + 1,
    moment.getDate(),
    moment.getHours(),
    moment.getMinutes(),
  ].map((number) => String(number).padStart(2, "0"));
  return `${moment.getFullYear()}-${month}-${day} ${hours}:${minutes}`;
}

/** What was decided, in a line; "" where nobody said so. */
function decisionWords(entry: Entry): string {
  if (entry.decided === null) return "";
  if (entry.decided === "followed") return say("Decided by the clinic: as the answer says");
  const reason = entry.override_reason.trim().split(/\s+/).join(" ");
  return say("Decided by the clinic: otherwise than the answer says, because: {reason}", { reason });
}

function patientWords(patient: Patient, tables: ScreenTables): readonly string[] {
  const lines = [patient.code ? say("Patient code: {code}", { code: patient.code }) : say("Patient code: not given")];
  if (patient.age_years !== null) lines.push(say("Age: {age} years", { age: patient.age_years }));
  if (patient.sex !== null) lines.push(say(tables.sexWords[patient.sex]));
  if (patient.weight_kg !== null) lines.push(say("Weight: {weight} kg", { weight: patient.weight_kg }));
  return lines;
}

function short(sha256: string): string {
  return `${sha256.slice(0, HASH_DIGITS)}…`;
}
