/** All screenings in one file, and out of one: the Kivy app's backup format. */

import { backupName, writeBackup } from "../../history/backup";
import { HistoryError } from "../../history/errors";
import { addBackup } from "../../history/restoring";
import type { App } from "../app";
import { el, fill } from "../dom";
import { Busy, card, heading, quietTap, remark, tap, words } from "../kit";
import { lineOf } from "../problems";
import { say } from "../say";
import type { Screen } from "../shell";

export function backupScreen(app: App): Screen {
  const progress = el("div", {});
  const done = el("div", { role: "status" });
  let abort = new AbortController();

  /** Do it with progress, and say how it ended. */
  const run = async (
    message: string,
    work: (onProgress: (share: number) => void) => Promise<readonly string[]>,
  ): Promise<void> => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    const busy = new Busy(message, () => abort.abort());
    fill(done);
    fill(progress, busy.element);
    try {
      const lines = await work((share) => {
        signal.throwIfAborted();
        busy.show(share);
      });
      fill(done, card(...lines.map((line) => words(line, "strong"))));
    } catch (error) {
      if (!signal.aborted) fill(done, card(words(lineOf(error), "warning")));
    }
    fill(progress);
  };
  const save = (): Promise<void> =>
    run(say("The backup is being written…"), async (onProgress) => {
      if (app.history === null) throw new HistoryError(app.storageProblem);
      const backup = await writeBackup(app.history, app.tables, onProgress);
      offer(backup.file, backupName(new Date()));
      return [
        say("The backup was handed to the browser: look for it among the downloads, and keep it in another place."),
        ...faults(backup.missing),
      ];
    });
  const file = el("input", {
    type: "file",
    accept: ".zip,application/zip",
    class: "unseen",
    tabindex: -1,
    "aria-hidden": "true",
    onchange: () => void restore(),
  });
  const restore = async (): Promise<void> => {
    const chosen = file.files?.[0];
    file.value = "";
    if (chosen === undefined) return;
    await run(say("The backup is being checked and restored…"), async (onProgress) => {
      if (app.history === null) throw new HistoryError(app.storageProblem);
      const added = await addBackup(app.history, chosen, app.tables, onProgress);
      return [
        say("The backup was restored."),
        added.count === 1
          ? say("1 screening was added.")
          : say("{count} screenings were added.", { count: added.count }),
        ...faults(added.missing),
      ];
    });
  };
  return {
    title: say("Backup (ZIP)"),
    back: "#history",
    left: () => abort.abort(),
    element: el(
      "div",
      { class: "page" },
      app.storageProblem ? card(words(app.storageProblem, "warning")) : null,
      progress,
      done,
      card(
        heading(say("Backup (ZIP)")),
        words(say("All screenings with their films in one file. Keep it as you keep patients' files.")),
        words(say("The backup is not encrypted: whoever has the file can read it."), "strong"),
        remark(say("The app for the Raspberry Pi and the desktop restores it, too.")),
        tap(say("Back up"), () => void save()),
      ),
      card(
        heading(say("Restore a backup")),
        words(say("The screenings of the backup are added to those here. What is here stays as it is.")),
        quietTap(say("Choose a backup"), () => file.click()),
        file,
      ),
    ),
  };
}

function faults(missing: number): readonly string[] {
  if (missing === 0) return [];
  if (missing === 1) return [say("1 of its pictures is damaged or missing; an older backup may have it.")];
  return [say("{count} of its pictures are damaged or missing; an older backup may have them.", { count: missing })];
}

/** Have the browser save a file. */
function offer(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
