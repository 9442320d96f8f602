/** What all screens share: the model, the history, the settings, and what is under way from one screen to the next. */

import type { Offline } from "../offline";
import type { Screener } from "../screener";
import { newId, utc } from "../history/entry";
import type { Draft, Film } from "../history/drafts";
import { filmOf, keptRaster, type KeptFilm } from "../history/kept_film";
import { hold } from "../history/held";
import { UNDO_MS, type History } from "../history/store";
import { EMPTY, isEmpty, type FormFields } from "./screening_form";
import type { Settings } from "./settings";
import type { ModelFacts, ScreenTables } from "./shared";
import type { Shell } from "./shell";

/** The form of a new screening, and the film once one was chosen. */
export class Form {
  id = newId();
  fields: FormFields = EMPTY;
  film: Film | null = null;
  private release: (() => void) | null = null;
  private keeping: Promise<void> | null = null;
  private isKept = true;
  private making: Promise<void> | null = null;
  /** What a film is kept as, null for nothing: made once of each. */
  private readonly pictures = new WeakMap<Film, Film | null>();

  constructor(private readonly history: History | null) {}

  /**
   * Keep the form as it stands; nothing is kept of an empty one. Letters that come while it is being written are
   * written next, all of them at once. Throws `HistoryError` where it cannot be kept.
   */
  keep(): Promise<void> {
    this.isKept = false;
    this.keeping ??= this.keepOn().finally(() => (this.keeping = null));
    return this.keeping;
  }

  /** Go on with a form that was not finished; false where another tab has taken it meanwhile. */
  async take(draft: Draft): Promise<boolean> {
    const release = await hold(draft.id);
    if (release === null) return false;
    this.end();
    this.release = release;
    this.id = draft.id;
    this.fields = draft.fields;
    this.film = draft.film;
    return true;
  }

  /**
   * Keep of this film what `make` gives, where nothing of its file could be kept; nothing happens where another film
   * has been chosen since.
   */
  keepFilm(film: Film, make: () => Promise<KeptFilm>): Promise<void> {
    this.making = this.makeFilm(film, make);
    return this.making;
  }

  /** Wait until nothing of the form is being written any more, nor will be without a new reason. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.making, this.keeping]);
  }

  /** The form is over; the next one is empty. */
  end(): void {
    this.release?.();
    this.release = null;
    this.id = newId();
    this.fields = EMPTY;
    this.film = null;
  }

  private async keepOn(): Promise<void> {
    while (!this.isKept) {
      this.isKept = true;
      await this.write();
    }
  }

  private async write(): Promise<void> {
    const { history, id, fields } = this;
    if (history === null) return;
    const film = this.film && (await this.keptOf(this.film));
    if (isEmpty(fields) && film === null) {
      await history.dropDraft(id);
      return;
    }
    if (this.release === null) await this.hold(id);
    if (id === this.id) await history.saveDraft({ id, saved_at: utc(new Date()), fields, film });
  }

  /** Have other tabs see that the form is being filled in, unless it is over by then. */
  private async hold(id: string): Promise<void> {
    const release = await hold(id);
    if (id === this.id && this.release === null) {
      this.release = release;
    } else {
      release?.();
    }
  }

  private async makeFilm(film: Film, make: () => Promise<KeptFilm>): Promise<void> {
    if (this.history === null || film !== this.film || (await this.keptOf(film)) !== null) return;
    this.pictures.set(film, filmOf(await make(), film));
    if (film === this.film) await this.keep();
  }

  private async keptOf(film: Film): Promise<Film | null> {
    const known = this.pictures.get(film);
    if (known !== undefined) return known;
    await new Promise((resolve) => setTimeout(resolve)); // a film is given to the worker before that
    const picture = keptRaster(film.bytes);
    const kept = picture && filmOf(picture, film);
    this.pictures.set(film, kept);
    return kept;
  }
}

/** How far the model has been loaded, from 0 to 1; `onShare` is told as it goes on. */
export interface Loading {
  share: number;
  onShare: (share: number) => void;
}

export interface App {
  readonly base: URL;
  readonly tables: ScreenTables;
  readonly model: ModelFacts;
  readonly shell: Shell;
  /** Rejects where no film can be screened in this browser, with the sentence that says why. */
  readonly screener: Promise<Screener>;
  readonly loading: Loading;
  /** Whether the page can be opened without a network from now on. */
  readonly offline: Promise<Offline>;
  /** Null where the browser keeps nothing for this page; `storageProblem` says so. */
  readonly history: History | null;
  readonly storageProblem: string;
  readonly form: Form;
  /** The photo that a film is to be cut out of. */
  photo: Blob | null;
  settings: Settings;
  set(changed: Partial<Settings>): Promise<void>;
}

/** Remove for good what was deleted, once that cannot be undone any more. */
export function purgeLater(history: History): void {
  window.setTimeout(() => void history.purge().catch(() => undefined), UNDO_MS + 1000);
}
