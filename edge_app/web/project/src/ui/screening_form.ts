/** The form beside a new screening: what was typed becomes a patient, or one line for each field to be mended. */

import { fixed } from "../core/rounding";
import { SEXES, type Patient } from "../history/entry";
import { say } from "./say";
import type { ModelFacts, ScreenTables } from "./shared";
import { plainNumber } from "./typed";

/** The fields as they stand in the form; all of them may be left empty. `bone` is as the model calls it. */
export interface FormFields {
  readonly code: string;
  readonly age: string;
  readonly sex: string;
  readonly weight: string;
  readonly bone: string;
}
export type FieldName = keyof FormFields;
export type Lines = Partial<Record<FieldName, string>>;

export const EMPTY: FormFields = { code: "", age: "", sex: "", weight: "", bone: "" };

/** The patient, unless a field has a problem; problems and hints are lines by field. */
export interface FormReading {
  readonly patient: Patient | null;
  readonly problems: Lines;
  /** A hint does not keep anyone from going on. */
  readonly hints: Lines;
}

export function isEmpty(fields: FormFields): boolean {
  return Object.values(fields).every((text) => !text);
}

/** Read all fields. Numbers may be written with a decimal comma, and in the digits of any script. */
export function readForm(fields: FormFields, tables: ScreenTables): FormReading {
  const reader = new Reader(tables);
  const patient: Patient = {
    code: reader.code(fields.code),
    age_years: reader.age(fields.age),
    sex: SEXES.find((sex) => sex === fields.sex) ?? null,
    weight_kg: reader.weight(fields.weight),
  };
  const isSound = Object.keys(reader.problems).length === 0;
  return { patient: isSound ? patient : null, problems: reader.problems, hints: reader.hints };
}

/** The bone that was named; null where none was, or an unfinished form names one that the model does not know. */
export function knownBone({ bone }: FormFields, { router }: ModelFacts): string | null {
  return router?.heads.find((head) => head.bone === bone)?.bone ?? null;
}

class Reader {
  readonly problems: Lines = {};
  readonly hints: Lines = {};

  constructor(private readonly tables: ScreenTables) {}

  code(text: string): string | null {
    const printable = text.normalize("NFC").replace(/[\p{C}\p{Z}]/gu, " ");
    const code = printable.trim().split(/ +/).join(" ");
    const { maxCode } = this.tables.form;
    if ([...code].length > maxCode) {
      this.problems.code = say("The code is too long: {most} characters at most", { most: maxCode });
    } else if (!isShown(code, this.tables.alphabet)) {
      this.problems.code = say("Use Latin, Greek or Cyrillic letters and digits: others cannot be printed.");
    } else if (looksLikeAName(code)) {
      this.hints.code = say("This looks like a name. Use a code that tells no one who the patient is.");
    }
    return code || null;
  }

  age(text: string): number | null {
    const words = plainNumber(text);
    if (!words) return null;
    if (!/^[0-9]{1,9}$/.test(words)) {
      this.problems.age = say("Age in whole years, such as 67");
      return null;
    }
    const age = Number(words);
    const { birthYears, maxAgeYears, adultAgeYears } = this.tables.form;
    if (birthYears[0] <= age && age <= birthYears[1]) {
      this.problems.age = say("This looks like a year. Enter the age in years.");
    } else if (age > maxAgeYears) {
      this.problems.age = say("Age must be from 0 to {most} years", { most: maxAgeYears });
    } else if (age < adultAgeYears) {
      this.hints.age = say("The model is for adults.");
    }
    return age;
  }

  weight(text: string): number | null {
    const words = plainNumber(text).replace(/\s*kg$/, "");
    if (!words) return null;
    if (!/^[0-9]{1,9}([.,][0-9]{1,2})?$/.test(words)) {
      this.problems.weight = say("Weight in kilograms, such as 61.5");
      return null;
    }
    const weight = Number(fixed(Number(words.replace(",", ".")), 1));
    const { maxWeightKg, usualWeightKg } = this.tables.form;
    if (!(weight > 0 && weight <= maxWeightKg)) {
      this.problems.weight = say("Weight must be above 0 and at most {most} kg", { most: maxWeightKg });
    } else if (weight < usualWeightKg[0] || weight > usualWeightKg[1]) {
      this.hints.weight = say("Is this in kilograms? Check the weight.");
    }
    return weight;
  }
}

/** Whether a code may be a full name: two words or more that have only letters, no digit anywhere. */
export function looksLikeAName(code: string): boolean {
  const words = code.split(/\s+/).map((word) => word.replace(/^[.,;'’-]+|[.,;'’-]+$/g, ""));
  const ofLetters = words.filter((word) => [...word].length >= 2 && /^[\p{L}\p{M}'’.-]+$/u.test(word));
  return ofLetters.length >= 2 && !/\p{Nd}/u.test(code);
}

/** Whether all letters can be shown in the Kivy app and printed on its reports, to which a backup may lead. */
function isShown(text: string, ranges: ScreenTables["alphabet"]): boolean {
  return [...text].every((letter) => {
    const code = letter.codePointAt(0) as number;
    return ranges.some(([first, last]) => first <= code && code <= last);
  });
}
