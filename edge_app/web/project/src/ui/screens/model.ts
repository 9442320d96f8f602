/** The model in use: what it learned from, its figures, its hash, and its card. */

import type { App } from "../app";
import { el, fill } from "../dom";
import { card, cells, heading, quietTap, words } from "../kit";
import { say } from "../say";
import type { Screen } from "../shell";

/** Hex digits between two spaces of a hash that is read out. */
const GROUP = 8;

export function modelScreen(app: App): Screen {
  const { model, tables } = app;
  const place = el("div", {});
  const hash = model.model.sha256.match(new RegExp(`.{1,${GROUP}}`, "g"))?.join(" ") ?? "";
  return {
    title: say("Model"),
    back: "#home",
    element: el(
      "div",
      { class: "page" },
      card(
        heading(say("Model: {name} {version}", { name: model.name, version: model.version })),
        words(say(model.intended_use)),
        el("dl", {}, ...tables.facts.flatMap(([title, value]) => [el("dt", {}, say(title)), el("dd", {}, say(value))])),
        ...tables.figures.map((line) => words(say(line))),
        el("p", { class: "hash" }, say("SHA-256: {hash}", { hash })),
        cells(quietTap(say("Model card"), () => void showCard(app, place))),
      ),
      place,
    ),
  };
}

/** The card as its author wrote it: no markup of it is taken for the page's own. */
async function showCard(app: App, place: HTMLElement): Promise<void> {
  try {
    const answer = await fetch(new URL("bundle/MODEL_CARD.md", app.base));
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    fill(place, card(heading(say("Model card")), el("pre", { class: "model-card", tabindex: 0 }, text)));
    place.scrollIntoView();
  } catch {
    app.shell.complain(say("The model card cannot be read: reload the page and try again."));
  }
}
