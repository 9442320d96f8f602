/** Screenings that are under way, so that a closed tab does not take what was typed, nor the film that was chosen. */

import type { FormFields } from "../ui/screening_form";

/** A film as it was chosen; `isPhoto` if it was cut out of a photo. */
export interface Film {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isPhoto: boolean;
}

/** A form as it stands, and the film once one was chosen. `saved_at` is written as in an entry. */
export interface Draft {
  readonly id: string;
  readonly saved_at: string;
  readonly fields: FormFields;
  readonly film: Film | null;
}
