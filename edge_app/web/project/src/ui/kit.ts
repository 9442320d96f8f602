/** What screens are made of: cards, buttons, fields, choices, and a question before what cannot be taken back. */

import { el, fill, newElementId, type Child } from "./dom";
import { say } from "./say";

export function card(...children: readonly Child[]): HTMLElement {
  return el("section", { class: "card" }, ...children);
}

export function heading(text: string): HTMLElement {
  return el("h2", {}, text);
}

export function words(text: string, kind = ""): HTMLElement | null {
  return text ? el("p", { class: kind || null }, text) : null;
}

export function remark(text: string): HTMLElement | null {
  return words(text, "faint");
}

/** Buttons side by side as far as there is room. */
export function cells(...children: readonly Child[]): HTMLElement {
  return el("div", { class: "cells" }, ...children);
}

/** The button for what is most likely wanted. */
export function tap(text: string, onTap: () => void, kind = ""): HTMLButtonElement {
  return el("button", { type: "button", class: `tap ${kind}`.trim(), onclick: onTap }, text);
}

/** A button for anything else. */
export function quietTap(text: string, onTap: () => void): HTMLButtonElement {
  return tap(text, onTap, "quiet");
}

/** A way to another screen that looks like a button. */
export function way(text: string, address: string, kind = "quiet"): HTMLAnchorElement {
  return el("a", { class: `tap ${kind}`.trim(), href: address }, text);
}

/** A text box with its title, and below it what is wrong with it or what to look at again. */
export class Field {
  readonly element: HTMLElement;
  readonly box: HTMLInputElement | HTMLTextAreaElement;
  private readonly line: HTMLElement;

  constructor(title: string, value: string, options: { kind?: string; lines?: number; hint?: string } = {}) {
    const id = newElementId();
    const told = `${id}-told`;
    const attributes = { id, "aria-describedby": told, autocomplete: "off", spellcheck: "false" };
    this.box = options.lines
      ? el("textarea", { ...attributes, rows: options.lines })
      : el("input", { ...attributes, type: "text", inputmode: options.kind ?? "text", placeholder: options.hint });
    this.box.value = value;
    this.line = el("p", { id: told, class: "told", "aria-live": "polite" });
    this.element = el("div", { class: "field" }, el("label", { for: id }, title), this.box, this.line);
  }

  get text(): string {
    return this.box.value.trim();
  }

  /** Say what is wrong, or else what to look at again; both may be "". */
  tell(problem: string, advice = ""): void {
    this.line.textContent = problem || advice;
    this.line.classList.toggle("problem", Boolean(problem));
    this.box.setAttribute("aria-invalid", String(Boolean(problem)));
  }
}

/** One of a few, as radio buttons in a row. */
export class Choice<Value extends string> {
  readonly element: HTMLFieldSetElement;
  private readonly boxes: HTMLInputElement[];

  constructor(title: string, options: Readonly<Record<Value, string>>, value: Value, onChoice: (value: Value) => void) {
    const name = newElementId();
    this.boxes = (Object.keys(options) as Value[]).map((one) =>
      el("input", { type: "radio", name, value: one, checked: one === value, onchange: () => onChoice(one) }),
    );
    const labels = this.boxes.map((box) =>
      el("label", { class: "option" }, box, el("span", {}, options[box.value as Value])),
    );
    this.element = el(
      "fieldset",
      { class: "choice" },
      el("legend", {}, title),
      el("div", { class: "options" }, ...labels),
    );
  }

  get value(): Value {
    return (this.boxes.find((box) => box.checked)?.value ?? "") as Value;
  }

  set value(value: Value) {
    for (const box of this.boxes) box.checked = box.value === value;
  }
}

/** That something is under way, how far it is, and a way to cancel it. */
export class Busy {
  readonly element: HTMLElement;
  private readonly bar = el("progress", { max: 1 });
  private readonly line: HTMLElement;

  constructor(message: string, onCancel: (() => void) | null = null) {
    this.line = el("p", {}, message);
    this.bar.setAttribute("aria-label", message);
    const cancel = onCancel ? cells(quietTap(say("Cancel"), onCancel)) : null;
    this.element = el("div", { class: "card busy", role: "status" }, this.line, this.bar, cancel);
  }

  say(message: string): void {
    this.line.textContent = message;
    this.bar.setAttribute("aria-label", message);
    this.bar.removeAttribute("value");
  }

  /** How far it is, from 0 to 1. */
  show(share: number): void {
    this.bar.value = share;
  }
}

/** Ask before what loses something; true if the user means it. Escape is a no. */
export function ask(title: string, text: string, yes: string, no = say("Cancel")): Promise<boolean> {
  return new Promise((resolve) => {
    const id = newElementId();
    const dialog = el("dialog", { "aria-labelledby": id });
    const end = (isMeant: boolean): void => {
      dialog.close();
      dialog.remove();
      resolve(isMeant);
    };
    const buttons = cells(
      tap(no, () => end(false)),
      quietTap(yes, () => end(true)),
    );
    fill(dialog, el("h2", { id }, title), words(text), buttons);
    dialog.addEventListener("close", () => end(false)); // by Escape; told a frame later, when a button has answered
    document.body.append(dialog);
    dialog.showModal();
  });
}
