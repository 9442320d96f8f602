/** The first screen: what can be done here, by which model, and what this is not. */

import type { App } from "../app";
import { el } from "../dom";
import { card, cells, remark, way, words } from "../kit";
import { say } from "../say";
import type { Screen } from "../shell";

export function homeScreen(app: App): Screen {
  const { model, tables } = app;
  return {
    title: say("Bone screening"),
    element: el(
      "div",
      { class: "page" },
      remark(caution(app)),
      app.storageProblem ? card(words(app.storageProblem, "warning")) : null,
      el(
        "nav",
        { "aria-label": say("Bone screening") },
        el("div", { class: "cells two large" }, way(say("New screening"), "#new", ""), way(say("History"), "#history")),
        cells(way(say("Model"), "#model"), way(say("Settings"), "#settings")),
      ),
      card(
        words(say("Model: {name} {version}", { name: model.name, version: model.version }), "strong"),
        remark(say(model.intended_use)),
      ),
      card(
        el("h2", {}, say("What this is")),
        ...whatThisIs(tables.findings.includes("density"), tables.findings.includes("abnormality")),
        model.router ? words(say(tables.whichBone)) : null,
        offlineLine(app),
      ),
    ),
  };
}

/** Whether the page is here without a network, once that is known; nothing while only a part of it is. */
function offlineLine(app: App): HTMLElement {
  const line = el("p", { "aria-live": "polite" });
  void app.offline.then((offline) => {
    if (offline === "begun") return;
    line.textContent =
      offline === "stored"
        ? say("It works without a network. Nothing leaves this device unless you export it.")
        : say(
            "This page is not stored on this device: it opens only where its network is. Nothing leaves this device unless you export it.",
          );
  });
  return line;
}

/** What no answer of the model is. */
function caution({ tables }: App): string {
  const [finding = "density", ...more] = tables.findings;
  return more.length
    ? say(
        "A referral aid, not a diagnosis. Only DXA measures bone density. Only a reader of the film and an examination of the patient can tell whether there is an abnormality.",
      )
    : say(tables.wording.advice[finding].refer);
}

function whatThisIs(isOfDensity: boolean, isOfAbnormality: boolean): readonly (HTMLElement | null)[] {
  const lines: string[] = [];
  if (isOfDensity) {
    lines.push(
      say(
        "This app looks at an X-ray film and says whether to refer the patient for DXA. It helps trained staff who see the film themselves.",
      ),
      say("It is not a diagnosis. Only DXA measures bone density. No answer of this app rules out low bone density."),
    );
  }
  if (isOfAbnormality) {
    lines.push(
      say(
        "This app looks at an X-ray film and says whether to have it read first. It helps trained staff who see the film themselves.",
      ),
      say(
        "It is not a diagnosis. Only a reader of the film and an examination of the patient can tell. No answer of this app rules out a fracture or any other abnormality.",
      ),
    );
  }
  return lines.map((line) => words(line));
}
