/** A new screening: whom it is of, as far as the clinic wants to tell, and where the film comes from. */

import type { Draft } from "../../history/drafts";
import { held } from "../../history/held";
import { localMoment } from "../answer_words";
import { boneName } from "../bone_words";
import type { App } from "../app";
import { el, fill } from "../dom";
import { Busy, card, cells, Choice, Field, heading, quietTap, remark, tap, words } from "../kit";
import { ostOf } from "../ost";
import { say } from "../say";
import { isEmpty, knownBone, readForm, type FieldName, type FormFields } from "../screening_form";
import type { Screen } from "../shell";

/** After so long without a key it is told what is wrong with a field. */
const SETTLED_MS = 300;
/** How often it is looked whether another tab has given up its form. */
const AGAIN_MS = 1000;

export function newScreeningScreen(app: App): Screen {
  const form = new FormPart(app);
  return {
    title: say("New screening"),
    back: "#home",
    element: form.element,
    shown: () => app.shell.run(form.offerDrafts()),
    left: () => form.leave(),
  };
}

/** The form, which is kept while it is filled in, and the sources of a film. */
class FormPart {
  readonly element: HTMLElement;
  private readonly offer = el("div", {});
  private readonly chosen = el("div", {});
  private readonly ost = el("div", { "aria-live": "polite" });
  private readonly fields: Readonly<Record<"code" | "age" | "weight", Field>>;
  private readonly sex: Choice<"" | "female" | "male" | "other">;
  private readonly bone: Choice<string>;
  private readonly clear = quietTap(say("Clear"), () => this.startAnew());
  private settling = 0;
  private isLeft = false;
  /** The file that was chosen last: one out of a cloud takes its time. */
  private reading: File | null = null;

  constructor(private readonly app: App) {
    const { code, age, weight, sex } = app.form.fields;
    this.fields = {
      code: new Field(say("Patient code, no name"), code),
      age: new Field(say("Age in years"), age, { kind: "numeric" }),
      weight: new Field(say("Weight in kg"), weight, { kind: "decimal" }),
    };
    const sexes = { "": say("Not given"), female: say("Female"), male: say("Male"), other: say("Other") };
    this.sex = new Choice(say("Sex"), sexes, sex in sexes ? (sex as keyof typeof sexes) : "", () => this.changed());
    const bones = (app.model.router?.heads ?? []).map(({ bone }) => [bone, boneName(bone, app.tables)] as const);
    this.bone = new Choice(
      say("Bone on the film (optional)"),
      { "": say("Not given"), ...Object.fromEntries(bones) },
      knownBone(app.form.fields, app.model) ?? "",
      () => this.changed(),
    );
    for (const field of Object.values(this.fields)) field.box.addEventListener("input", () => this.changed());
    const grid = el("div", { class: "cells fields" }, ...Object.values(this.fields).map((field) => field.element));
    this.element = el(
      "div",
      { class: "page" },
      this.offer,
      card(
        el("div", { class: "row" }, heading(say("Patient (optional)")), this.clear),
        grid,
        this.sex.element,
        this.ost,
      ),
      bones.length
        ? card(
            this.bone.element,
            remark(say("If you name it, the film is read as that bone, whatever the model takes it for.")),
          )
        : null,
      this.chosen,
      this.sources(),
    );
    this.listenForDrops();
    this.show();
    this.showChosen();
  }

  /** Offer to go on with a form that nobody works on. */
  async offerDrafts(): Promise<void> {
    const { history, form } = this.app;
    if (this.isLeft || history === null || !isEmpty(form.fields) || form.film !== null) return;
    const [elsewhere, drafts] = [await held(), await history.drafts()];
    const free = drafts.filter((draft) => !elsewhere.has(draft.id));
    if (!isEmpty(form.fields)) return;
    if (free.length) this.showOffer(free);
    else if (drafts.length) window.setTimeout(() => this.app.shell.run(this.offerDrafts()), AGAIN_MS);
  }

  leave(): void {
    this.isLeft = true;
    window.clearTimeout(this.settling);
  }

  private keep(): void {
    this.app.shell.run(this.app.form.keep());
  }

  private showOffer([draft, ...more]: readonly Draft[]): void {
    if (draft === undefined) {
      fill(this.offer);
      return;
    }
    const values = { code: draft.fields.code || say("No patient code"), moment: localMoment(draft.saved_at) };
    fill(
      this.offer,
      card(
        words(say("A form was not finished: {code}, {moment}.", values)),
        draft.film && words(say("Its film: {name}", { name: draft.film.name })),
        cells(
          tap(say("Continue it"), () => this.app.shell.run(this.goOn(draft, more))),
          quietTap(say("Discard it"), () => this.app.shell.run(this.discard(draft, more))),
        ),
      ),
    );
  }

  private async goOn(draft: Draft, more: readonly Draft[]): Promise<void> {
    if (await this.app.form.take(draft)) this.app.shell.again();
    else this.showOffer(more);
  }

  private async discard(draft: Draft, more: readonly Draft[]): Promise<void> {
    const { history, shell } = this.app;
    await history?.dropDraft(draft.id);
    this.showOffer(more);
    shell.offerUndo(say("The unfinished form was discarded."), () => {
      if (history !== null) shell.run(history.saveDraft(draft).then(() => this.showOffer([draft, ...more])));
    });
  }

  private read(): FormFields {
    const { code, age, weight } = this.fields;
    return { code: code.text, age: age.text, weight: weight.text, sex: this.sex.value, bone: this.bone.value };
  }

  private changed(): void {
    this.app.form.fields = this.read();
    fill(this.offer);
    this.show();
    this.keep();
    window.clearTimeout(this.settling);
    this.settling = window.setTimeout(() => this.tellProblems(), SETTLED_MS);
  }

  private show(): void {
    const { fields } = this.app.form;
    this.clear.hidden = isEmpty(fields);
    const { patient } = readForm(fields, this.app.tables);
    const isOfDensity = this.app.tables.findings.includes("density");
    const ost = patient && isOfDensity ? ostOf(patient, this.app.tables) : null;
    fill(
      this.ost,
      ost && words(say("OST index {index}: {group}.", { index: ost.index, group: say(ost.group) }), "strong"),
      ost && remark(say(this.app.tables.ost.about)),
    );
  }

  /** Say what is wrong with each field; the first of them that keeps from going on. */
  private tellProblems(): Field | null {
    const { problems, hints } = readForm(this.app.form.fields, this.app.tables);
    let first: Field | null = null;
    for (const [name, field] of Object.entries(this.fields) as [FieldName & keyof typeof this.fields, Field][]) {
      field.tell(problems[name] ?? "", hints[name] ?? "");
      if (problems[name]) first ??= field;
    }
    return first;
  }

  private startAnew(): void {
    const { form, history, shell } = this.app;
    const { id, fields, film } = form;
    form.end();
    if (history !== null) shell.run(history.dropDraft(id));
    shell.again();
    shell.offerUndo(say("The form is empty."), () => {
      form.fields = fields;
      form.film = film;
      this.keep();
      shell.again();
    });
  }

  private sources(): HTMLElement {
    const file = el("input", {
      type: "file",
      autocomplete: "off", // else the browser notes the file's name, to fill it in again
      class: "unseen",
      tabindex: -1,
      "aria-hidden": "true",
      onchange: () => this.take(file.files),
    });
    const photo = el("input", {
      type: "file",
      accept: "image/*",
      capture: "environment",
      autocomplete: "off",
      class: "unseen",
      tabindex: -1,
      "aria-hidden": "true",
      onchange: () => this.takePhoto(photo.files?.[0]),
    });
    return el(
      "div",
      { class: "sources" },
      el(
        "div",
        { class: "cells two large" },
        tap(say("Choose a film"), () => this.goOnIfSound(() => file.click())),
        quietTap(say("Take a photo of a film"), () =>
          this.goOnIfSound(() => (hasOwnCamera() ? photo.click() : this.app.shell.go("#camera"))),
        ),
      ),
      el("p", { class: "faint drop" }, say("Or drop the file of a film here: PNG, JPEG, BMP or DICOM.")),
      file,
      photo,
    );
  }

  private listenForDrops(): void {
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("dropping");
    });
    this.element.addEventListener("dragleave", () => this.element.classList.remove("dropping"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("dropping");
      this.goOnIfSound(() => this.take(event.dataTransfer?.files ?? null));
    });
  }

  /** Do it, unless a field keeps from it: that one is shown then. */
  private goOnIfSound(then: () => void): void {
    const problem = this.tellProblems();
    if (problem === null) then();
    else problem.box.focus();
  }

  private take(files: FileList | null): void {
    const [file, ...others] = [...(files ?? [])];
    if (file === undefined) return;
    if (others.length) this.app.shell.tell(say("Several files were given. Only the first one is opened."));
    void this.screen(file);
  }

  private async screen(file: File): Promise<void> {
    const { shell, form, tables } = this.app;
    const most = tables.limits.maxFileBytes;
    if (file.size > most) {
      const limit = Math.floor(most / 2 ** 20);
      const line = say("not a file of at most {max_file_bytes} MiB; export the radiograph as PNG or DICOM", {
        max_file_bytes: limit,
      });
      shell.complain(`${file.name}: ${line}`);
      return;
    }
    this.reading = file;
    fill(this.chosen, new Busy(say("The film is being screened…")).element);
    const bytes = await file.arrayBuffer().catch(() => null);
    if (this.isLeft || this.reading !== file) return; // nobody waits for it any more
    if (bytes === null) {
      this.showChosen();
      shell.complain(
        `${file.name}: ${say("cannot be read ({reason}); choose it again", { reason: say("Input/output error") })}`,
      );
      return;
    }
    form.film = { name: file.name, bytes: new Uint8Array(bytes), isPhoto: false, cameAs: null };
    shell.go("#answer");
  }

  private takePhoto(photo: File | undefined): void {
    if (photo === undefined) return;
    this.app.photo = photo;
    this.app.shell.go("#photo");
  }

  private showChosen(): void {
    const { film } = this.app.form;
    fill(
      this.chosen,
      film &&
        card(
          words(say("Its film: {name}", { name: film.name }), "strong"),
          cells(
            tap(say("Screen it"), () => this.goOnIfSound(() => this.app.shell.go("#answer"))),
            quietTap(say("Leave it out"), () => {
              this.app.form.film = null;
              this.keep();
              this.showChosen();
            }),
          ),
        ),
    );
  }
}

/** Whether the device has a camera app of its own, which takes better pictures than a page does. */
function hasOwnCamera(): boolean {
  return !navigator.mediaDevices?.getUserMedia || window.matchMedia("(pointer: coarse)").matches;
}
