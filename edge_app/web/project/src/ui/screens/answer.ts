/** One answer: the words, the film with the evidence over it, and what can be done with it. */

import type { Entry } from "../../history/entry";
import type { History } from "../../history/store";
import { keptFilm, openSaved, screenFilm, type Answer } from "../answer";
import { AnswerForms } from "../answer_forms";
import { answerWords, spoken, type AnswerWords } from "../answer_words";
import { purgeLater, type App } from "../app";
import { el, fill } from "../dom";
import { FilmView } from "../film_view";
import { Busy, card, cells, quietTap, remark, tap, words } from "../kit";
import { probabilityPart } from "../probability_bar";
import { lineOf } from "../problems";
import { say } from "../say";
import { knownBone, readForm } from "../screening_form";
import type { Screen } from "../shell";
import { symbol } from "../symbols";

/** The answer for the film that was chosen. */
export function newAnswerScreen(app: App): Screen {
  const { film, fields } = app.form;
  if (film === null) return { title: say("Result"), element: el("div", {}), shown: () => app.shell.go("#new") };
  const patient = readForm(fields, app.tables).patient ?? undefined;
  const bone = knownBone(fields, app.model);
  // the film is kept as soon as it was chosen: whatever ends the page, it is offered again
  app.shell.run(app.form.keep());
  const screen = async (): Promise<Answer> => {
    const answer = await screenFilm(app, film, bone, patient);
    // the picture alone does not tell by what else than its looks a film was refused
    if (answer.entry.outcome !== "rejected") app.shell.run(app.form.keepFilm(film, () => keptFilm(app, film)));
    return answer;
  };
  return new AnswerScreen(app, screen, "#new");
}

/** An answer of the history. */
export function savedAnswerScreen(app: App, id: string): Screen {
  return new AnswerScreen(app, () => openSaved(app, id), "#history");
}

class AnswerScreen implements Screen {
  readonly title = say("Result");
  readonly element = el("div", { class: "answer-place" });
  private answer: Answer | null = null;
  private forms: AnswerForms | null = null;
  private isSaving = false;
  private isLeft = false;
  private readonly verdict = el("div", { class: "verdict-place" });
  private readonly facts = el("div", { class: "reading" });
  private readonly foot = el("div", { class: "foot", role: "status" });

  constructor(
    private readonly app: App,
    private readonly work: () => Promise<Answer>,
    readonly back: string,
  ) {}

  shown(): void {
    void this.begin();
  }

  left(): void {
    this.isLeft = true;
    const { form, shell } = this.app;
    if (this.answer?.toSave && form.film !== null && !this.isSaving) {
      form.film = null; // nobody wants it any more: leaving was asked for
      shell.run(form.keep());
    }
  }

  unsaved(): string {
    if (this.forms?.hasTyped) return say("Leave without saving what you typed?");
    const isLost = this.answer?.toSave && !this.isSaving && this.answer.entry.outcome !== "rejected";
    return isLost && this.app.history !== null ? say("Leave without saving?") : "";
  }

  isLostWithPage(): boolean {
    return this.forms?.hasTyped ?? false;
  }

  private get isNew(): boolean {
    return this.back === "#new";
  }

  private async begin(): Promise<void> {
    const message = this.isNew ? say("The film is being screened…") : say("The screening is being opened…");
    const busy = new Busy(message, () => this.app.shell.go(this.back));
    fill(this.element, el("div", { class: "page" }, busy.element));
    this.tellLoading(busy, message);
    try {
      const answer = await this.work();
      if (!this.isLeft) this.show(answer);
    } catch (error) {
      if (!this.isLeft) this.showTrouble(error);
    }
  }

  /** Say that the model is being loaded, as long as it is: at the first visit that takes longest. */
  private tellLoading(busy: Busy, message: string): void {
    const { loading, screener } = this.app;
    if (loading.share === 1) return;
    busy.say(say("The model is being loaded…"));
    busy.show(loading.share);
    loading.onShare = (share) => busy.show(share);
    void screener.then(
      () => busy.say(message),
      () => undefined, // told where the film is screened
    );
  }

  private show(answer: Answer): void {
    this.answer = answer;
    const told = answerWords(answer.entry, this.app.tables);
    fill(
      this.element,
      el("article", { class: `answer ${answer.entry.outcome}` }, this.verdict, this.filmPart(answer), this.facts),
      this.foot,
    );
    this.showWords(answer, told);
    this.app.shell.announce(spoken(told));
  }

  /** The words and what can be done, as the answer stands now. */
  private showWords(answer: Answer, told = answerWords(answer.entry, this.app.tables)): void {
    const { entry } = answer;
    if (answer.toSave === null && this.forms === null) {
      this.forms = new AnswerForms(entry, this.app.tables, (work) => this.change(work));
    }
    this.forms?.show(entry);
    fill(this.verdict, paper(say("Bone screening report: a referral aid, not a diagnosis")), verdict(entry, told));
    const isOpen = this.facts.querySelector("details")?.open ?? false;
    const probability = probabilityPart(entry, told.probability, told.noProbability);
    if (isOpen) probability.setAttribute("open", "");
    fill(
      this.facts,
      probability,
      facts(told),
      this.forms && el("div", { class: "forms" }, this.forms.buttons, this.forms.element),
      cells(
        quietTap(say("Print"), () => window.print()),
        answer.toSave === null && quietTap(say("Delete"), () => void this.delete()),
      ),
      smallPrint(told),
    );
    this.showFoot(answer);
  }

  private filmPart(answer: Answer): HTMLElement {
    const { tables, settings } = this.app;
    if (answer.picture === null) return card(words(say(answer.problem), "warning"));
    const noEvidence =
      answer.entry.outcome === "rejected"
        ? ""
        : answer.evidence === null
          ? say("There is no picture of the evidence for this answer.")
          : answer.entry.finding === "density"
            ? say("No region of this image speaks for low bone density to the model.")
            : say("No region of this image speaks for an abnormality to the model.");
    const look = { overlay: tables.overlay, colourMap: settings.colourMap };
    const view = new FilmView(answer.picture, answer.evidence, look, noEvidence).element;
    view.append(paper(say("The film, reduced: not for diagnosis")));
    return view;
  }

  private showFoot(answer: Answer): void {
    if (!this.isNew) return;
    if (answer.toSave === null) {
      fill(this.foot, words(say("Saved on this device."), "strong"));
      return;
    }
    const isRejected = answer.entry.outcome === "rejected";
    const save =
      this.app.history === null
        ? words(this.app.storageProblem, "warning")
        : tap(this.isSaving ? say("Saving…") : say("Save"), () => void this.save(), isRejected ? "quiet" : "");
    if (save instanceof HTMLButtonElement) save.disabled = this.isSaving;
    const another = isRejected && tap(say("Choose another film"), () => this.app.shell.go("#new"));
    fill(this.foot, cells(save, another));
  }

  /** Save the answer, once; it is shown as saved when it is on the disk. */
  private async save(): Promise<void> {
    const { history, form, shell } = this.app;
    const answer = this.answer;
    if (this.isSaving || history === null || !answer?.toSave) return;
    this.isSaving = true;
    this.showFoot(answer);
    const { id } = form;
    try {
      await form.settled();
      const saved = await answer.toSave();
      await history.add(saved, id);
      if (form.id === id) form.end();
      this.answer = { ...answer, entry: saved.entry, toSave: null };
      void navigator.storage?.persist?.(); // from now on there is something to lose
      if (!this.isLeft) shell.move(`#entry/${answer.entry.id}`);
    } catch (error) {
      shell.complain(lineOf(error));
    }
    this.isSaving = false;
    if (!this.isLeft) this.showWords(this.answer ?? answer);
  }

  /** Change the saved entry, and show it as it is on the disk then; whether that was done. */
  private async change(work: (history: History) => Promise<Entry>): Promise<boolean> {
    const { history, shell } = this.app;
    if (history === null || this.answer === null) return false;
    try {
      this.answer = { ...this.answer, entry: await work(history) };
    } catch (error) {
      shell.complain(lineOf(error));
      return false;
    }
    this.showWords(this.answer);
    return true;
  }

  /** Take the screening out of the history, and offer to bring it back. */
  private async delete(): Promise<void> {
    const { history, shell } = this.app;
    const id = this.answer?.entry.id;
    if (history === null || id === undefined) return;
    try {
      await history.delete(id);
    } catch (error) {
      shell.complain(lineOf(error));
      return;
    }
    purgeLater(history);
    if (!this.isLeft) shell.go("#history");
    shell.offerUndo(say("The screening was deleted."), () => {
      history.undoDelete(id).then(
        () => {
          shell.tell(say("The screening is back."));
          shell.changed();
        },
        (error: unknown) => shell.complain(lineOf(error)),
      );
    });
  }

  private showTrouble(error: unknown): void {
    const line = lineOf(error);
    const again = this.isNew && cells(tap(say("Choose another film"), () => this.dropFilm()));
    fill(this.element, el("div", { class: "page" }, card(words(line)), again));
    this.app.shell.announce(line);
  }

  private dropFilm(): void {
    const { form, shell } = this.app;
    form.film = null;
    shell.run(form.keep());
    shell.go("#new");
  }
}

/** A line that stands on paper alone, where the page around it is not. */
function paper(line: string): HTMLElement {
  return el("p", { class: "on-paper" }, line);
}

function verdict(entry: Entry, told: AnswerWords): HTMLElement {
  return el(
    "section",
    { class: `card verdict ${entry.outcome}` },
    el("div", { class: "row" }, symbol(entry.outcome), el("h2", { class: "headline" }, told.headline)),
    ...told.warnings.map((warning) => words(warning, "warning")),
    words(told.advice),
    ...told.reasons.map((reason) => remark(reason)),
  );
}

/** Whose film it is, when it was screened, and what is known besides the model's answer. */
function facts(told: AnswerWords): HTMLElement {
  return card(
    words([...told.patient, told.taken].join(" · ")),
    ...[told.bone, told.dxa, told.decision, told.note].map((line) => words(line, "strong")),
    words(told.ost),
    remark(told.aboutOst),
  );
}

function smallPrint(told: AnswerWords): HTMLElement {
  return card(
    el("h2", { class: "small" }, say("Intended use")),
    ...[told.intendedUse, ...told.origin].map((line) => remark(line)),
  );
}
