/** The OST index that stands beside the model's answer: what age and weight alone tell (Koh et al. 2001). */

import type { Patient } from "../history/entry";
import type { ScreenTables } from "./shared";

export interface Ost {
  readonly index: number;
  /** The group it falls in, as a message; that there is none for whom the groups are not known to fit. */
  readonly group: string;
}

/** The OST of a patient: 0.2 x (kg - years), its decimals cut towards zero; null without age and weight. */
export function ostOf(patient: Patient, tables: ScreenTables): Ost | null {
  if (patient.age_years === null || patient.weight_kg === null) return null;
  const index = Math.trunc(0.2 * (patient.weight_kg - patient.age_years)) + 0;
  const { groupsFromYears, riskWords, noGroup } = tables.ost;
  const hasGroup = patient.sex === "female" && patient.age_years >= groupsFromYears;
  const risk = index < -4 ? "high" : index <= -1 ? "moderate" : "low";
  return { index, group: hasGroup ? riskWords[risk] : noGroup };
}
