/** Past screenings: found by code, day and answer. */

import type { Outcome } from "../../core/types";
import { OUTCOMES, utc, type Entry } from "../../history/entry";
import { HistoryError } from "../../history/errors";
import type { Query } from "../../history/query";
import { headline, localMoment } from "../answer_words";
import type { App } from "../app";
import { boneWords } from "../bone_words";
import { el, fill } from "../dom";
import { dxaWords } from "../dxa_words";
import { card, cells, Choice, Field, quietTap, way, words } from "../kit";
import { say } from "../say";
import type { Screen } from "../shell";
import { symbol } from "../symbols";

const PAGE = 50;
const DAYS: Readonly<Record<string, number>> = { today: 1, week: 7, month: 30, year: 365 };
type Period = "all" | "today" | "week" | "month" | "year";
type WithDxa = "" | "yes" | "no";

export function historyScreen(app: App): Screen {
  const list = new HistoryList(app);
  return {
    title: say("History"),
    back: "#home",
    element: list.element,
    shown: () => void list.search(),
    changed: () => void list.search(),
  };
}

class HistoryList {
  readonly element: HTMLElement;
  private readonly code = new Field(say("Patient code"), "");
  private readonly period: Choice<Period>;
  private readonly dxa: Choice<WithDxa>;
  private readonly outcomes: readonly HTMLInputElement[];
  private readonly found = el("p", { class: "faint", role: "status" });
  private readonly rows = el("ul", { class: "rows" });
  private readonly more = el("div", {});
  private asked = 0;

  constructor(private readonly app: App) {
    const { periods, outcomeChoices, findings } = app.tables;
    const named = (period: string): string => say(periods[period] ?? period);
    const again = (): void => void this.search();
    this.period = new Choice<Period>(
      say("When"),
      { all: named("all"), today: named("today"), week: named("week"), month: named("month"), year: named("year") },
      "all",
      again,
    );
    this.dxa = new Choice<WithDxa>(
      say("DXA result"),
      { "": say("With or without a DXA result"), yes: say("With a DXA result"), no: say("Without a DXA result") },
      "",
      again,
    );
    this.outcomes = OUTCOMES.map((outcome) => el("input", { type: "checkbox", value: outcome, onchange: again }));
    this.code.box.addEventListener("input", again);
    const options = this.outcomes.map((box) =>
      el(
        "label",
        { class: "option" },
        box,
        symbol(box.value as Outcome),
        el("span", {}, say(outcomeChoices[box.value as Outcome])),
      ),
    );
    this.element = el(
      "div",
      { class: "page" },
      app.storageProblem ? card(words(app.storageProblem, "warning")) : null,
      this.code.element,
      el(
        "details",
        { class: "card" },
        el("summary", {}, say("Filter")),
        this.period.element,
        el(
          "fieldset",
          { class: "choice" },
          el("legend", {}, say("Answer: choose one or more, or none for all")),
          el("div", { class: "options" }, ...options),
        ),
        findings.includes("density") && this.dxa.element,
      ),
      this.found,
      this.rows,
      this.more,
      cells(way(say("Backup (ZIP)"), "#backup")),
    );
  }

  async search(): Promise<void> {
    const { history, shell } = this.app;
    if (history === null) return;
    const asked = ++this.asked;
    try {
      const query = this.query();
      const entries = await history.search(query);
      if (asked !== this.asked) return; // a newer search is under way
      this.found.textContent = foundWords(
        entries.length,
        Object.values(query).every((one) => one === undefined),
      );
      fill(this.rows);
      this.showMore(entries, 0);
    } catch (error) {
      if (error instanceof HistoryError) shell.complain(error.message);
      else throw error;
    }
  }

  private showMore(entries: readonly Entry[], from: number): void {
    this.rows.append(...entries.slice(from, from + PAGE).map((entry) => this.row(entry)));
    const next = from + PAGE;
    fill(this.more, next < entries.length && quietTap(say("Show older films"), () => this.showMore(entries, next)));
  }

  private row(entry: Entry): HTMLElement {
    const { tables } = this.app;
    const dxa = dxaWords(entry.dxa, entry.t_score, tables);
    const lines = [
      boneWords(entry, tables),
      dxa && say("DXA: {result}", { result: dxa }),
      entry.is_demo && say("Demo"),
    ];
    return el(
      "li",
      {},
      el(
        "a",
        { href: `#entry/${entry.id}`, class: "entry" },
        symbol(entry.outcome),
        el(
          "span",
          { class: "entry-words" },
          el("span", { class: "strong" }, entry.code ?? say("No code")),
          el("span", { class: "faint" }, localMoment(entry.taken_at)),
          el("span", {}, headline(entry, tables)),
          el("span", { class: "faint" }, lines.filter(Boolean).join(" · ")),
        ),
      ),
    );
  }

  private query(): Query {
    const outcomes = this.outcomes.filter((box) => box.checked).map((box) => box.value as Outcome);
    const days = DAYS[this.period.value];
    return {
      code: this.code.text || undefined,
      since: days === undefined ? undefined : utc(midnight(days - 1)),
      outcomes: outcomes.length ? outcomes : undefined,
      has_dxa: this.dxa.value ? this.dxa.value === "yes" : undefined,
    };
  }
}

/** When the day began here, so many days ago. */
function midnight(daysAgo: number): Date {
  const day = new Date();
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - daysAgo);
  return day;
}

function foundWords(count: number, isEverything: boolean): string {
  if (count === 0) return isEverything ? say("No screenings yet") : say("No screening like this");
  return count === 1 ? say("1 screening") : say("{count} screenings", { count });
}
