/** The frame around every screen: the mark of a demonstration, the title, the way back, and lines that come and go. */

import { UNDO_MS } from "../history/store";
import { el, fill } from "./dom";
import { ask, quietTap } from "./kit";
import { lineOf } from "./problems";
import { say } from "./say";

/** One screen at a time; addresses lead from one to another, so that the browser's own way back works. */
export interface Screen {
  readonly title: string;
  readonly element: HTMLElement;
  /** Where the way back leads; none on the first screen. */
  readonly back?: string;
  /** What is asked before it is left, "" where nothing would be lost. */
  unsaved?(): string;
  /** Whether something would be lost with the page itself: a film that was chosen is not. */
  isLostWithPage?(): boolean;
  /** It stands on the page now. */
  shown?(): void;
  /** The history was changed, by this tab or another. */
  changed?(): void;
  /** It was left for another one. */
  left?(): void;
}

export class Shell {
  private readonly mark = el("aside", { class: "mark" });
  private readonly header = el("header", {});
  private readonly main = el("main", {});
  private readonly foot = el("div", { class: "foot-line", role: "status" });
  private readonly voice = el("div", { class: "unseen", "aria-live": "polite" });
  private screen: Screen | null = null;
  private address = "";
  private hide = 0;
  private isAsking = false;

  constructor(private readonly open: (address: string) => Screen) {
    document.body.append(this.mark, this.header, this.main, this.foot, this.voice);
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--foot-line", `${this.foot.offsetHeight}px`);
    }).observe(this.foot); // what else is at the foot of the page stands above its line
    window.addEventListener("beforeprint", () => {
      for (const folded of this.main.querySelectorAll("details")) folded.open = true;
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.screen?.isLostWithPage?.()) event.preventDefault();
    });
  }

  /** Show the line that every screen bears while the model is a demonstration; none for "". */
  wear(mark: string): void {
    this.mark.textContent = mark;
    this.mark.setAttribute("aria-label", mark);
    this.mark.hidden = !mark;
  }

  /** Show the screen of the page's address. */
  start(): void {
    window.addEventListener("hashchange", () => void this.follow());
    this.show(location.hash);
  }

  /** Go to another address; the screen that is left does not ask. */
  go(address: string): void {
    if (location.hash === address) this.show(address);
    else {
      this.screen?.left?.();
      this.screen = null;
      location.hash = address;
    }
  }

  /** The screen that stands here is at another address from now on. */
  move(address: string): void {
    history.replaceState(null, "", address);
    this.address = address;
  }

  /** Make the screen anew, as after a change of the language. */
  again(): void {
    this.show(this.address, false);
  }

  changed(): void {
    this.screen?.changed?.();
  }

  /** Have a line read out. */
  announce(line: string): void {
    this.voice.textContent = "";
    setTimeout(() => (this.voice.textContent = line), 50);
  }

  /** A line at the foot of the page, until it is closed or another one comes. */
  tell(line: string): void {
    this.line(line);
  }

  complain(line: string): void {
    this.line(line, null, "complaint");
  }

  /** Let work go on beside the screen; what keeps it from being done is told. */
  run(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.complain(lineOf(error)));
  }

  /** A line with a button. */
  offer(line: string, name: string, work: () => void): void {
    const button = quietTap(name, () => {
      this.clear();
      work();
    });
    this.line(line, button);
  }

  /** A line with a way to undo what it says, as long as that can be done. */
  offerUndo(line: string, undo: () => void): void {
    this.offer(line, say("Undo"), undo);
    this.hide = window.setTimeout(() => this.clear(), UNDO_MS);
  }

  private line(text: string, button: HTMLElement | null = null, kind = ""): void {
    window.clearTimeout(this.hide);
    this.foot.className = `foot-line shown ${kind}`.trim();
    const close = el(
      "button",
      { type: "button", class: "tap quiet sign", "aria-label": say("Close"), onclick: () => this.clear() },
      "×",
    );
    fill(this.foot, el("p", {}, text), button, close);
  }

  private clear(): void {
    window.clearTimeout(this.hide);
    this.foot.className = "foot-line";
    fill(this.foot);
  }

  /** The address has changed: go there, unless something would be lost and the user wants to stay. */
  private async follow(): Promise<void> {
    const wanted = location.hash;
    const title = this.screen?.unsaved?.() ?? "";
    if (title) {
      history.pushState(null, "", this.address);
      if (this.isAsking) return;
      this.isAsking = true;
      const leaves = await ask(title, say("It is then lost."), say("Leave"), say("Stay"));
      this.isAsking = false;
      if (leaves) this.go(wanted);
      return;
    }
    this.show(wanted);
  }

  private show(address: string, isNew = true): void {
    this.screen?.left?.();
    const screen = this.open(address);
    this.screen = screen;
    this.address = address;
    document.title = `${screen.title} – ${say("Bone screening")}`;
    const title = el("h1", { tabindex: -1 }, screen.title);
    const back =
      screen.back === undefined ? null : el("a", { class: "tap quiet", href: screen.back }, `‹ ${say("Back")}`);
    fill(this.header, back, title);
    fill(this.main, screen.element);
    this.voice.textContent = "";
    if (isNew) {
      window.scrollTo(0, 0);
      title.focus({ preventScroll: true });
    }
    screen.shown?.();
  }
}
