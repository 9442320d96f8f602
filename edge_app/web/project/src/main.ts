/** The start of the page: what it needs is fetched, the model is started beside it, and the first screen shown. */

import { Screener } from "./screener";
import { History } from "./history/store";
import { Form, type App, type Loading } from "./ui/app";
import { el, fill } from "./ui/dom";
import { card, tap, words } from "./ui/kit";
import { isLanguage, msg, say, speak, type Language } from "./ui/say";
import { newAnswerScreen, savedAnswerScreen } from "./ui/screens/answer";
import { backupScreen } from "./ui/screens/backup";
import { cameraScreen } from "./ui/screens/camera";
import { historyScreen } from "./ui/screens/history";
import { homeScreen } from "./ui/screens/home";
import { modelScreen } from "./ui/screens/model";
import { newScreeningScreen } from "./ui/screens/new_screening";
import { photoScreen } from "./ui/screens/photo";
import { settingsScreen } from "./ui/screens/settings";
import { keepSettings, readSettings, wear } from "./ui/settings";
import { fetchJson, type ModelFacts, type ScreenTables } from "./ui/shared";
import { Shell, type Screen } from "./ui/shell";
import { registerWorker, useNewer } from "./offline";
import "./styles/app.css";

const NO_WEBASSEMBLY = msg(
  "This browser is too old for this page: it has no WebAssembly. Update it, or use another one.",
);

const SCREENS: ReadonlyMap<string, (app: App) => Screen> = new Map([
  ["", homeScreen],
  ["home", homeScreen],
  ["new", newScreeningScreen],
  ["camera", cameraScreen],
  ["photo", photoScreen],
  ["answer", newAnswerScreen],
  ["history", historyScreen],
  ["backup", backupScreen],
  ["settings", settingsScreen],
  ["model", modelScreen],
]);
const ENTRY = /^#entry\/([0-9a-f]{32})$/;

/** The screen of an address; the first one for an address that is none. */
function screenAt(app: App, address: string): Screen {
  const id = ENTRY.exec(address)?.[1];
  return id === undefined ? (SCREENS.get(address.slice(1)) ?? homeScreen)(app) : savedAnswerScreen(app, id);
}

async function start(): Promise<void> {
  const base = new URL(".", document.baseURI);
  wear(readSettings("en").theme);
  const tables = await fetchJson<ScreenTables>("shared.json", base);
  const settings = readSettings(tables.app.language ?? deviceLanguage());
  await speak(settings.language, base);
  if (typeof WebAssembly === "undefined") throw new Error(NO_WEBASSEMBLY);
  const model = await fetchJson<ModelFacts>("bundle/manifest.json", base);
  const loading: Loading = { share: 0, onShare: () => undefined };
  const screener = Screener.open(base.href, ({ done, total }) => {
    loading.share = done / Math.max(1, total);
    loading.onShare(loading.share);
  });
  screener.then(() => (loading.share = 1)).catch(() => undefined); // told where a film is screened
  const shell: Shell = new Shell((address) => screenAt(app, address));
  const opened = await openHistory(shell);
  const app: App = {
    base,
    tables,
    model,
    shell,
    screener,
    loading,
    offline: registerWorker(() => offerNewer(shell)),
    history: opened.history,
    storageProblem: opened.problem,
    form: new Form(opened.history),
    photo: null,
    settings,
    async set(changed) {
      app.settings = { ...app.settings, ...changed };
      if (!keepSettings(app.settings))
        shell.complain(say("This browser does not keep the settings: they hold for this visit."));
      wear(app.settings.theme);
      if (changed.language && !(await speak(changed.language, base)))
        shell.complain(say("This language could not be loaded."));
      wearMark();
      shell.again();
    },
  };
  const wearMark = (): void => shell.wear(tables.isDemo ? say(tables.mark) : "");
  wearMark();
  shell.start();
}

/** The history; null, and the sentence that says why, where the browser keeps nothing for this page. */
async function openHistory(shell: Shell): Promise<{ history: History | null; problem: string }> {
  try {
    const history = await History.open(
      () => shell.changed(),
      () => shell.complain(say("A newer version of this page is open in another tab: reload this one.")),
    );
    return { history, problem: "" };
  } catch (error) {
    return { history: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

function offerNewer(shell: Shell): void {
  shell.offer(say("A newer version of this page is here."), say("Use it"), () => void useNewer());
}

/** The first of the device's languages that this page has, else English. */
function deviceLanguage(): Language {
  const spoken = navigator.languages.map((language) => language.slice(0, 2).toLowerCase());
  return spoken.find(isLanguage) ?? "en";
}

start().catch((error: unknown) => {
  console.error(error);
  const line =
    error instanceof Error && error.message === NO_WEBASSEMBLY
      ? say(NO_WEBASSEMBLY)
      : say("This page could not be loaded. Check the network, and load it again.");
  const again = tap(say("Load it again"), () => location.reload());
  fill(document.body, el("main", {}, el("h1", {}, say("Bone screening")), card(words(line, "warning"), again)));
});
