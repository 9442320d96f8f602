/** Screenings that are under way, so that a closed tab does not take what was typed, nor the film that was chosen. */

import type { FormFields } from "../ui/screening_form";

/** A film as it was chosen, or what was kept of it; `isPhoto` if it was cut out of a photo. */
export interface Film {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isPhoto: boolean;
  /** The hash of the file as it was chosen, where the bytes are what was kept of it; else null. */
  readonly cameAs: string | null;
}

/** A form as it stands, and what is kept of the film once one was chosen. `saved_at` is written as in an entry. */
export interface Draft {
  readonly id: string;
  readonly saved_at: string;
  readonly fields: FormFields;
  readonly film: Film | null;
}
