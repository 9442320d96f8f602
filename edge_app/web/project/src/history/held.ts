/** What a tab works on, by locks of the browser, which are free again however the tab ends. */

const PREFIX = "osteo-edge form ";
const RESTORE = "osteo-edge restore";

/** Hold a form until the function that this gives is called; null where another tab holds it. */
export function hold(draftId: string): Promise<(() => void) | null> {
  if (!navigator.locks) return Promise.resolve(() => undefined); // a page without https or localhost has none
  return new Promise((resolve) => {
    void navigator.locks.request(PREFIX + draftId, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        resolve(null);
        return undefined;
      }
      return new Promise<void>((release) => resolve(release));
    });
  });
}

/** The forms that a tab works on. */
export async function held(): Promise<ReadonlySet<string>> {
  const names = (await lockNames()).filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}

/** Do what adds images before the screenings that name them: nobody tidies up meanwhile. */
export async function whileRestoring<Value>(work: () => Promise<Value>): Promise<Value> {
  return navigator.locks ? await navigator.locks.request(RESTORE, work) : work();
}

/** Whether images that nothing names may be removed. */
export async function mayTidyUp(): Promise<boolean> {
  return Boolean(navigator.locks) && !(await lockNames()).includes(RESTORE);
}

async function lockNames(): Promise<string[]> {
  return ((await navigator.locks?.query())?.held ?? []).map((lock) => lock.name ?? "");
}
