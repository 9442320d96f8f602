/** What can be entered of a saved answer: the decision, a note, and the DXA result when it comes back. */

import { DECIDED, TO_FOLLOW, type Dxa, type Entry } from "../history/entry";
import type { History } from "../history/store";
import { el, fill } from "./dom";
import { readDxaForm } from "./dxa_words";
import { cells, Choice, Field, quietTap, tap } from "./kit";
import { say } from "./say";
import type { ScreenTables } from "./shared";

/** One thing to enter, below the button that opens it. */
interface Form {
  readonly button: string;
  isOffered(entry: Entry): boolean;
  make(entry: Entry, tables: ScreenTables): Open;
}

/** An open form. `save` gives the work to do, null where a field keeps from it. */
interface Open {
  readonly element: HTMLElement;
  readonly save: string;
  hasTyped(): boolean;
  read(): ((history: History) => Promise<Entry>) | null;
}

/** The buttons, and the form that is open; `keep` does the work, and resolves to whether it was done. */
export class AnswerForms {
  readonly buttons = el("div", { class: "cells" });
  readonly element = el("div", {});
  private readonly forms: readonly Form[] = [decisionForm(), noteForm(), dxaForm()];
  private opened: { form: Form; open: Open } | null = null;

  constructor(
    private entry: Entry,
    private readonly tables: ScreenTables,
    private readonly keep: (work: (history: History) => Promise<Entry>) => Promise<boolean>,
  ) {
    this.showButtons();
  }

  /** Whether something was typed that has not been saved. */
  get hasTyped(): boolean {
    return this.opened?.open.hasTyped() ?? false;
  }

  /** The answer as it stands now. */
  show(entry: Entry): void {
    this.entry = entry;
    this.showButtons();
  }

  private showButtons(): void {
    const offered = this.forms.filter((form) => form.isOffered(this.entry));
    fill(this.buttons, ...offered.map((form) => this.button(form)));
  }

  private button(form: Form): HTMLElement {
    const isOpen = this.opened?.form.button === form.button;
    const button = quietTap(form.button, () => this.turn(isOpen ? null : form));
    button.setAttribute("aria-expanded", String(isOpen));
    return button;
  }

  private turn(form: Form | null): void {
    if (form === null) {
      const index = this.forms
        .filter((one) => one.isOffered(this.entry))
        .findIndex((one) => one.button === this.opened?.form.button);
      this.opened = null;
      fill(this.element);
      this.showButtons();
      this.buttons.querySelectorAll("button")[index]?.focus();
      return;
    }
    const open = form.make(this.entry, this.tables);
    this.opened = { form, open };
    const save = async (): Promise<void> => {
      const work = open.read();
      if (work === null) open.element.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
      else if (await this.keep(work)) this.turn(null);
    };
    const buttons = cells(
      quietTap(say("Cancel"), () => this.turn(null)),
      tap(open.save, () => void save()),
    );
    fill(this.element, el("section", { class: "card" }, el("h2", {}, form.button), open.element, buttons));
    this.showButtons();
    this.element.querySelector<HTMLElement>("input, textarea")?.focus();
  }
}

function decisionForm(): Form {
  return {
    button: say("Decision"),
    isOffered: (entry) => TO_FOLLOW.includes(entry.outcome),
    make: (entry, tables) => {
      const most = tables.decision.maxLetters;
      const reason = new Field(say("Why otherwise: no name of the patient"), entry.override_reason, { lines: 3 });
      const options = {
        "": say("not given"),
        followed: say(tables.decision.words.followed),
        otherwise: say(tables.decision.words.otherwise),
      };
      const turn = (): void => {
        reason.element.hidden = decided.value !== "otherwise";
      };
      const decided = new Choice(say("What was decided"), options, entry.decided ?? "", turn);
      turn();
      const typed = (): readonly [string, string] => [decided.value, decided.value === "otherwise" ? reason.text : ""];
      return {
        element: el("div", {}, decided.element, reason.element),
        save: say("Save the decision"),
        hasTyped: () => typed().join() !== [entry.decided ?? "", entry.override_reason].join(),
        read: () => {
          const [choice, why] = typed();
          const isMissing = choice === "otherwise" && !why;
          reason.tell(isMissing ? say("Say why it was decided otherwise") : tooLong(why, most));
          if (isMissing || tooLong(why, most)) return null;
          return (history) => history.decide(entry.id, DECIDED.find((one) => one === choice) ?? null, why);
        },
      };
    },
  };
}

function noteForm(): Form {
  return {
    button: say("Note"),
    isOffered: () => true,
    make: (entry, tables) => {
      const note = new Field(say("Note: no name of the patient"), entry.note, { lines: 4 });
      return {
        element: note.element,
        save: say("Save the note"),
        hasTyped: () => note.text !== entry.note,
        read: () => {
          const problem = tooLong(note.text, tables.note.maxLetters);
          note.tell(problem);
          return problem ? null : (history) => history.annotate(entry.id, note.text);
        },
      };
    },
  };
}

function dxaForm(): Form {
  return {
    button: say("DXA result"),
    isOffered: (entry) => entry.outcome !== "rejected" && entry.finding === "density",
    make: (entry, tables) => {
      const { normal, osteopenia, osteoporosis } = tables.dxa.words;
      const options: Record<"" | Dxa, string> = {
        "": say("not given"),
        normal: say(normal),
        osteopenia: say(osteopenia),
        osteoporosis: say(osteoporosis),
      };
      const before = [entry.dxa ?? "", signed(entry.t_score)] as const;
      const read = (): ReturnType<typeof readDxaForm> => {
        const reading = readDxaForm(result.value, score.text, tables);
        score.tell(reading.problem, reading.hint);
        return reading;
      };
      const score = new Field(say("Lowest T-score"), before[1], { hint: "-1.8" });
      const result = new Choice(say("Category in the DXA report"), options, before[0], () => void read());
      score.box.addEventListener("input", () => void read());
      return {
        element: el("div", {}, result.element, score.element),
        save: say("Save the result"),
        hasTyped: () => [result.value, score.text].join() !== before.join(),
        read: () => {
          const { dxa, tScore, problem } = read();
          return problem ? null : (history) => history.markDxa(entry.id, dxa, tScore);
        },
      };
    },
  };
}

function signed(score: number | null): string {
  return score === null ? "" : `${score < 0 ? "" : "+"}${score.toFixed(1)}`;
}

function tooLong(text: string, most: number): string {
  const count = [...text].length;
  return count > most ? say("At most {most} letters, not {count}: shorten it", { most, count }) : "";
}
