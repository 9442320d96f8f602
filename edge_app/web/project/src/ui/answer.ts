/** An answer: an entry with its picture, just screened or out of the history. */

import { sha256 } from "../core/sha256";
import { ScreeningError, type GreyPicture, type Plane, type Screening } from "../core/types";
import type { Film } from "../history/drafts";
import { newId, NOBODY, type Entry, type Patient, type Saved } from "../history/entry";
import { decodeEvidence, encodeEvidence } from "../history/evidence";
import { HistoryError } from "../history/errors";
import { keptRaster, type KeptFilm } from "../history/kept_film";
import type { App } from "./app";
import { say } from "./say";
import type { ModelFacts } from "./shared";

/**
 * `toSave` makes what is still to be saved, null once that is done. `picture` is null where the film of a saved screening
 * cannot be read any more; `problem` then says why.
 */
export interface Answer {
  readonly entry: Entry;
  readonly picture: GreyPicture | null;
  readonly evidence: Plane | null;
  readonly toSave: (() => Promise<Saved>) | null;
  readonly problem: string;
}

/** Screen a film, of the `bone` that the user named; throws `ScreeningError` for what is no readable film. */
export async function screenFilm(
  app: App,
  film: Film,
  bone: string | null,
  patient: Patient = NOBODY,
): Promise<Answer> {
  const screener = await app.screener;
  const screening = await screener.screen(film.bytes.slice().buffer, film.name, bone);
  const evidence = screening.map === null ? null : encodeEvidence(screening.map);
  const entry = entryOf(app, screening, film, patient, evidence?.sha256 ?? null);
  const toSave = async (): Promise<Saved> => {
    const kept = await keptFilm(app, film);
    const image_sha256 = sha256(kept.bytes);
    const film_sha256 = image_sha256 === entry.image_sha256 ? null : entry.image_sha256;
    const picture = { ...kept, sha256: image_sha256 };
    const pictures = evidence === null ? [picture] : [picture, evidence];
    return { entry: { ...entry, image_sha256, film_sha256 }, pictures };
  };
  return { entry, picture: screening.picture, evidence: screening.map, toSave, problem: "" };
}

/** What is kept of a film; of DICOM, and where the parts of a file cannot be told apart, a picture drawn anew. */
export async function keptFilm(app: App, { name, bytes }: Film): Promise<KeptFilm> {
  const cleaned = keptRaster(bytes);
  if (cleaned !== null) return cleaned;
  const screener = await app.screener;
  return { suffix: ".png", bytes: await screener.grey(bytes.slice().buffer, name) };
}

/** A screening of the history; throws `HistoryError` where it is not there any more. */
export async function openSaved(app: App, id: string): Promise<Answer> {
  const history = app.history;
  if (history === null) throw new HistoryError(app.storageProblem);
  const entry = await history.entry(id);
  const none = { entry, picture: null, evidence: null, toSave: null };
  try {
    const film = await history.image(entry.image_sha256);
    const screener = await app.screener;
    const picture = await screener.decode(film.bytes.slice().buffer, `film${film.suffix}`);
    return { ...none, picture, evidence: await savedEvidence(history, entry), problem: "" };
  } catch (error) {
    const isTold = error instanceof HistoryError || error instanceof ScreeningError;
    return { ...none, problem: isTold ? error.message : say("the image cannot be read") };
  }
}

/** What to save of a screening, as `osteo_edge.edge_app.history.saving.record_of` writes it. */
function entryOf(app: App, screening: Screening, film: Film, patient: Patient, overlay: string | null): Entry {
  const decision = decisionOf(app.model, screening.bone);
  const grade = screening.severity === null ? [] : screening.notes.slice(-1);
  return {
    ...patient,
    id: newId(),
    taken_at: screening.takenAt,
    outcome: screening.outcome,
    probabilities: Object.fromEntries(
      screening.probabilities.filter(({ value }) => Number.isFinite(value)).map(({ label, value }) => [label, value]),
    ),
    score: screening.score !== null && Number.isFinite(screening.score) ? screening.score : null,
    threshold: decision.threshold,
    abstain_low: decision.abstain_low,
    abstain_high: decision.abstain_high,
    reasons: [...screening.reasons, ...grade],
    warnings: [...(film.isPhoto ? [app.tables.photoOfFilm] : []), ...screening.warnings],
    image_sha256: film.cameAs ?? screening.imageSha256,
    overlay_sha256: overlay,
    model_name: app.model.name,
    model_sha256: screening.modelSha256,
    intended_use: screening.intendedUse,
    is_demo: app.tables.isDemo,
    finding: screening.finding,
    bone: screening.bone,
    software: `osteo-edge ${app.tables.app.version}`,
    milliseconds: screening.stageMs,
    note: "",
    dxa: null,
    t_score: null,
    image_stats: screening.imageStats,
    decided: null,
    override_reason: "",
    film_sha256: null,
  };
}

/** What the answer was decided by: of a model of several bones that of the bone that it was given for. */
function decisionOf({ decision, router }: ModelFacts, bone: string | null): ModelFacts["decision"] {
  return router?.heads.find((head) => head.bone === bone)?.decision ?? decision;
}

/** The evidence that was saved; null where there is none, or it is damaged: the film is shown without it then. */
async function savedEvidence(history: NonNullable<App["history"]>, entry: Entry): Promise<Plane | null> {
  if (entry.overlay_sha256 === null) return null;
  try {
    return decodeEvidence((await history.image(entry.overlay_sha256)).bytes);
  } catch {
    return null;
  }
}
