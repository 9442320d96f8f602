/** What to look for in the history. */

import type { Outcome } from "../core/types";
import type { KeptEntry } from "./database";

/**
 * Which screenings to find; all that it says must hold, and what it leaves out may be anything. `code` is a part of the
 * patient code, in any case. `since` (included) is a time as entries write them; no outcome stands for all.
 */
export interface Query {
  readonly code?: string;
  readonly since?: string;
  readonly outcomes?: readonly Outcome[];
  readonly has_dxa?: boolean;
}

/** Whether a screening is one of those; a deleted one never is. */
export function matches(entry: KeptEntry, query: Query): boolean {
  const code = entry.code?.toLowerCase() ?? "";
  return (
    entry.deleted_at === undefined &&
    (!query.code || code.includes(query.code.toLowerCase())) &&
    (query.since === undefined || entry.taken_at >= query.since) &&
    (!query.outcomes?.length || query.outcomes.includes(entry.outcome)) &&
    (query.has_dxa === undefined || query.has_dxa === (entry.dxa !== null))
  );
}
