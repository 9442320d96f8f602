/** Language and look, and what this page keeps in the browser. */

import type { App } from "../app";
import { el, fill } from "../dom";
import { card, cells, Choice, heading, quietTap, remark, words } from "../kit";
import { LANGUAGES, say } from "../say";
import type { Screen } from "../shell";

const MIB = 2 ** 20;

export function settingsScreen(app: App): Screen {
  const { settings } = app;
  const language = new Choice(
    say("Language"),
    LANGUAGES,
    settings.language,
    (chosen) => void app.set({ language: chosen }),
  );
  const themes = { system: say("As the device"), light: say("Light"), dark: say("Dark") };
  const theme = new Choice(say("Theme"), themes, settings.theme, (chosen) => void app.set({ theme: chosen }));
  const maps = { viridis: "Viridis", cividis: "Cividis", jet: "Jet" };
  const colours = new Choice(
    say("Colours of the map on the film"),
    maps,
    settings.colourMap,
    (chosen) => void app.set({ colourMap: chosen }),
  );
  const storage = el("div", { class: "lines", role: "status" });
  return {
    title: say("Settings"),
    back: "#home",
    element: el(
      "div",
      { class: "page" },
      card(
        heading(say("Language and look")),
        language.element,
        remark(
          say("The translations await a native clinician's review: {languages}.", {
            languages: say("Français, Español, Kiswahili"),
          }),
        ),
        theme.element,
        colours.element,
        remark(
          say("Viridis and Cividis can be read by the colour-blind. Jet cannot: it is for those who are used to it."),
        ),
      ),
      card(
        heading(say("Keeping screenings")),
        app.storageProblem
          ? words(app.storageProblem, "warning")
          : words(
              say(
                "Films and answers are kept by this browser, on this device alone, and are not encrypted. Who clears the browser's data deletes them: back them up.",
              ),
            ),
        storage,
      ),
      card(
        words(
          say("osteo-edge {version}, a research prototype under the Apache License 2.0.", {
            version: app.tables.app.version,
          }),
        ),
      ),
    ),
    shown: () => void showStorage(storage).catch(() => undefined), // a browser that keeps nothing may not tell
  };
}

/** How much is used, and whether the browser may delete it when the device runs out of space. */
async function showStorage(place: HTMLElement): Promise<void> {
  const { storage } = navigator;
  if (!storage?.estimate) return;
  const { usage = 0, quota = 0 } = await storage.estimate();
  const line = say("{used} MiB are used, {free} MiB are left to this page.", {
    used: (usage / MIB).toFixed(1),
    free: Math.max(0, Math.floor((quota - usage) / MIB)),
  });
  const isKept = await storage.persisted();
  const asks = quietTap(say("Ask the browser to keep them"), () => void askToPersist(place));
  const kept = isKept
    ? say("The browser deletes nothing of it by itself.")
    : say("When the device runs out of space, the browser may delete all of it.");
  fill(place, words(line), words(kept), !isKept && cells(asks));
}

async function askToPersist(place: HTMLElement): Promise<void> {
  const isGranted = await navigator.storage.persist();
  await showStorage(place);
  if (!isGranted)
    place.append(
      el("p", { class: "warning" }, say("The browser said no: install this page on the device, or back up often.")),
    );
}
