/** Use without a network: a service worker stores the app at the first visit. */

/**
 * "stored": all of it works without a network. "begun": films can be screened without one; what backups and some DICOM
 * files need is missing. "insecure": no https, so no browser stores it. "failed": not enough was stored.
 */
export type Offline = "stored" | "begun" | "insecure" | "unsupported" | "failed";

/** Register the service worker; `onNewer` is called when another version is stored and waits: `useNewer` takes it. */
export async function registerWorker(onNewer: () => void): Promise<Offline> {
  if (!window.isSecureContext) {
    return "insecure";
  }
  if (!("serviceWorker" in navigator)) {
    return "unsupported";
  }
  try {
    const registration = await navigator.serviceWorker.register("./sw.js", { updateViaCache: "none" });
    watchForNewer(registration, onNewer);
    await stored(registration);
    return (await restStored(registration)) ? "stored" : "begun";
  } catch {
    return "failed"; // storage is full or forbidden, the network went away, or a file is not as it was packed
  }
}

/** Let the newer version take over, and load the page again from it. */
export async function useNewer(): Promise<void> {
  const waiting = (await navigator.serviceWorker.getRegistration())?.waiting;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting?.postMessage("use the new version");
}

/** Have the active version store what it has not yet, or what the browser has lost; whether all is there now. */
function restStored({ active }: ServiceWorkerRegistration): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data);
    active?.postMessage("store the rest", [port2]);
  });
}

/** Resolves when some version is active, with which films can be screened; rejects if the first one is given up. */
async function stored(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (worker === null || worker.state === "activated") {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") {
        resolve();
      } else if (worker.state === "redundant") {
        reject(new Error("the app was not stored"));
      }
    });
  });
}

function watchForNewer(registration: ServiceWorkerRegistration, onNewer: () => void): void {
  const tellIfInstalled = (worker: ServiceWorker | null): void => {
    if (worker?.state === "installed" && registration.active !== null) {
      onNewer();
    }
  };
  tellIfInstalled(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => tellIfInstalled(worker));
  });
}
