/** All screenings in one file, and out of one: the Kivy app's backup format. */

import { backupName, writeBackup } from "../../history/backup";
import { HistoryError } from "../../history/errors";
import type { Lock } from "../../history/lock";
import { addBackup, lockOf } from "../../history/restoring";
import type { History } from "../../history/store";
import type { App } from "../app";
import { el, fill } from "../dom";
import { Busy, card, cells, Field, heading, quietTap, remark, tap, words } from "../kit";
import { lineOf } from "../problems";
import { say } from "../say";
import type { Screen } from "../shell";

export function backupScreen(app: App): Screen {
  const progress = el("div", {});
  const done = el("div", { role: "status" });
  const question = el("div", {});
  let abort = new AbortController();
  let lock: Lock | null = null;
  /** End what is under way, and forget the keys of an encrypted backup. */
  const stop = (): void => {
    abort.abort();
    lock?.close();
    lock = null;
    fill(question);
  };

  /** Do it with progress, and say how it ended. */
  const run = async (
    message: string,
    work: (onProgress: (share: number) => void, signal: AbortSignal) => Promise<readonly string[]>,
  ): Promise<void> => {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    const busy = new Busy(message, stop);
    fill(done);
    fill(question);
    fill(progress, busy.element);
    try {
      const lines = await work((share) => {
        signal.throwIfAborted();
        busy.show(share);
      }, signal);
      fill(done, lines.length ? card(...lines.map((line) => words(line, "strong"))) : null);
    } catch (error) {
      if (!signal.aborted) fill(done, card(words(lineOf(error), "warning")));
    }
    busy.element.remove();
  };
  const history = (): History => {
    if (app.history === null) throw new HistoryError(app.storageProblem);
    return app.history;
  };
  const save = (): Promise<void> => {
    stop();
    return run(say("The backup is being written…"), async (onProgress) => {
      const backup = await writeBackup(history(), app.tables, onProgress);
      offer(backup.file, backupName(new Date()));
      return [
        say("The backup was handed to the browser: look for it among the downloads, and keep it in another place."),
        ...faults(backup.missing),
      ];
    });
  };
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
    stop();
    await run(say("The backup is being checked and restored…"), async (onProgress, signal) => {
      history(); // nobody is asked for a PIN in vain
      const found = await lockOf(chosen, app.tables);
      if (found === null) return add(chosen, null, onProgress);
      if (signal.aborted) found.close();
      else ask(chosen, (lock = found), "");
      return [];
    });
  };
  /** Ask what an encrypted backup opens with, then restore it; `problem` is what was wrong with the last answer. */
  const ask = (chosen: File, locked: Lock, problem: string): void => {
    const open = (secret: string): Promise<void> =>
      run(say("The backup is being checked and restored…"), async (onProgress) => {
        if (await locked.open(secret)) return add(chosen, locked, onProgress);
        ask(chosen, locked, say(app.tables.vault.wrongSecret));
        return [];
      });
    const field = new Field(say("PIN or recovery code"), "");
    field.tell(problem);
    fill(question, secretForm(say(app.tables.vault.locked), field, (secret) => void open(secret), stop));
    field.box.focus();
  };
  const add = async (
    chosen: File,
    opened: Lock | null,
    onProgress: (share: number) => void,
  ): Promise<readonly string[]> => {
    try {
      const added = await addBackup(history(), chosen, app.tables, opened, onProgress);
      return [
        say("The backup was restored."),
        added.count === 1
          ? say("1 screening was added.")
          : say("{count} screenings were added.", { count: added.count }),
        ...faults(added.missing),
      ];
    } finally {
      opened?.close();
    }
  };
  return {
    title: say("Backup (ZIP)"),
    back: "#history",
    left: stop,
    element: el(
      "div",
      { class: "page" },
      app.storageProblem ? card(words(app.storageProblem, "warning")) : null,
      progress,
      question,
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

/** Asks for the PIN or the recovery code, and says before that what is restored is not encrypted any more. */
function secretForm(
  locked: string,
  field: Field,
  onSecret: (secret: string) => void,
  onCancel: () => void,
): HTMLElement {
  const submit = (event: Event): void => {
    event.preventDefault();
    if (field.text) onSecret(field.text);
    else field.box.focus();
  };
  return el(
    "form",
    { class: "card", "aria-label": locked, onsubmit: submit },
    words(locked),
    words(say("What is restored is not encrypted in this browser: whoever can use it can read it."), "strong"),
    field.element,
    cells(el("button", { type: "submit", class: "tap" }, say("Restore")), quietTap(say("Cancel"), onCancel)),
  );
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
