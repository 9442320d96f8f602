/** The device's camera, where the browser offers it to pages: one picture, in which the film is framed then. */

import type { App } from "../app";
import { el, fill } from "../dom";
import { card, cells, quietTap, remark, tap, words } from "../kit";
import { say } from "../say";
import type { Screen } from "../shell";

const WANTED: MediaStreamConstraints = {
  video: { facingMode: "environment", width: { ideal: 4096 }, height: { ideal: 3072 } },
};
const JPEG_QUALITY = 0.95;

export function cameraScreen(app: App): Screen {
  const video = el("video", {
    class: "camera",
    playsinline: true,
    muted: true,
    "aria-label": say("The camera's picture"),
  });
  const place = el("div", { class: "page" }, words(say("The camera is being switched on…")));
  let stream: MediaStream | null = null;
  let isLeft = false;

  const take = (): void => {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    canvas.toBlob(
      (photo) => {
        if (photo === null) return;
        app.photo = photo;
        app.shell.go("#photo");
      },
      "image/jpeg",
      JPEG_QUALITY,
    );
  };
  const begin = async (): Promise<void> => {
    try {
      stream = await navigator.mediaDevices.getUserMedia(WANTED);
    } catch (error) {
      fill(place, card(words(cameraProblem(error)), cells(quietTap(say("Choose a film"), () => app.shell.go("#new")))));
      return;
    }
    if (isLeft) return stop();
    video.srcObject = stream;
    await video.play();
    const advice = say(
      "Switch room lights off. Hold the camera straight in front of the film, so that it fills the picture and all four corners are seen.",
    );
    fill(place, video, remark(advice), cells(tap(say("Take the photo"), take)));
  };
  const stop = (): void => {
    isLeft = true;
    for (const track of stream?.getTracks() ?? []) track.stop();
  };
  return {
    title: say("Take a photo of a film"),
    back: "#new",
    element: place,
    shown: () => void begin(),
    left: stop,
  };
}

function cameraProblem(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError")
    return say("The browser lets this page use no camera: allow it in the page's settings, or choose a file.");
  if (name === "NotFoundError" || name === "OverconstrainedError")
    return say("This device has no camera: choose a file.");
  return say("The camera gives no picture: close other programs that use it, or choose a file.");
}
