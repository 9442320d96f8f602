/** The page's own modules behind lines of JSON, one question and one answer each, for tests that run in Node. */

import { createInterface } from "node:readline";

import { calibrated, decide } from "../../../edge_app/web/project/src/core/decision";
import { decode } from "../../../edge_app/web/project/src/core/decode/radiograph";
import { evidenceOf } from "../../../edge_app/web/project/src/core/evidence";
import { distanceOf, readStatistics, unfamiliar } from "../../../edge_app/web/project/src/core/familiarity";
import { applyFilters } from "../../../edge_app/web/project/src/core/filters";
import { rejections } from "../../../edge_app/web/project/src/core/gate";
import { measureQuality } from "../../../edge_app/web/project/src/core/image_quality";
import { openTemplate } from "../../../edge_app/web/project/src/core/knee_template";
import { greyPng } from "../../../edge_app/web/project/src/core/grey_png";
import { findKnees } from "../../../edge_app/web/project/src/core/knees";
import { layOutFilm, layOutKnees } from "../../../edge_app/web/project/src/core/layout";
import { linesOf } from "../../../edge_app/web/project/src/core/messages";
import { withoutMetadata } from "../../../edge_app/web/project/src/core/metadata";
import { layOut, normalized, toPlane } from "../../../edge_app/web/project/src/core/preprocessing";
import { covariance } from "../../../edge_app/web/project/src/core/raster/matching";
import { enlarge, shrink, warp } from "../../../edge_app/web/project/src/core/raster/scaling";
import { boxMean, gaussian } from "../../../edge_app/web/project/src/core/raster/smoothing";
import { otsu, to8Bit } from "../../../edge_app/web/project/src/core/raster/tones";
import { fixed } from "../../../edge_app/web/project/src/core/rounding";
import { FilmScreener } from "../../../edge_app/web/project/src/core/screening";
import { unpackedPlane } from "../../../edge_app/web/project/src/core/shared";
import { readEnds } from "../../../edge_app/web/project/src/core/tflite";
import { ScreeningError } from "../../../edge_app/web/project/src/core/types";
import { decryptDatabase } from "../../../edge_app/web/project/src/history/sqlcipher";
import { readVault } from "../../../edge_app/web/project/src/history/vault";
import { Keys, openVault } from "../../../edge_app/web/project/src/history/vault_keys";
import { Screener } from "../../../edge_app/web/project/src/screener";

console.debug = console.error; // standard output is for answers

let shared: any;
let line: any;

const plane = (packed: any) => unpackedPlane(packed);
const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));
const packed = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
const base64 = (data: Uint8Array) => Buffer.from(data).toString("base64");
const shown = ({ height, width, data }: any) => ({ shape: [height, width], data: packed(data) });

const QUESTIONS: Record<string, (...values: any[]) => unknown> = {
  open: (given) => {
    shared = given;
    line = linesOf(given.messages);
  },
  lines: (starts: string[]) => starts.map((start) => line(start)),
  shrink: (picture, height, width) => shown(shrink(plane(picture), height, width)),
  enlarge: (picture, height, width) => shown(enlarge(plane(picture), height, width)),
  warp: (picture, move, height, width, way, back) => shown(warp(plane(picture), move, height, width, way, back)),
  gaussian: (picture, sigma) => shown(gaussian(plane(picture), sigma)),
  boxMean: (picture, rows, columns) => shown(boxMean(plane(picture), rows, columns)),
  covariance: (picture, patch) => shown(covariance(plane(picture), plane(patch))),
  otsu: (picture) => otsu(to8Bit(plane(picture))),
  filtered: (picture, filters) => shown(applyFilters(plane(picture), filters)),
  quality: (picture) => measureQuality(plane(picture), shared.quality),
  knees: (picture) => findKnees(plane(picture), openTemplate(shared)),
  tensor: (picture, spec) => {
    const pixels = plane(picture);
    const layout = layOut(pixels, spec, openTemplate(shared));
    return packed(normalized(toPlane(pixels, spec, layout, shared.stretchPercentiles), spec));
  },
  evidence: (film, knees, canvas, map, manifest) => {
    const layout = knees ? layOutKnees(film, knees, canvas, shared.knees.cropWidths) : layOutFilm(film, canvas);
    const [rows, columns] = map.shape;
    const data = new Float32Array(bytes(map.data).buffer);
    const prediction: any = { activationMap: { rows, columns, data } };
    return shown(evidenceOf(prediction, manifest, layout, shared.overlay.evidenceSidePx));
  },
  distances: (file, embeddings: any) => {
    const { data, width } = plane(embeddings);
    const statistics = readStatistics(bytes(file));
    return Array.from({ length: data.length / width }, (_, n) =>
      distanceOf(data.subarray(n * width, (n + 1) * width), statistics),
    );
  },
  stranger: (file, embedding: any, manifest) =>
    unfamiliar(plane(embedding).data, readStatistics(bytes(file)), manifest, line),
  screened: async (film, manifest, logits: any, map, bone) => {
    const numbers = (array: any) => new Float32Array(bytes(array.data).buffer);
    const activationMap = map && { rows: map.shape[0], columns: map.shape[1], data: numbers(map) };
    const prediction = { logits: numbers(logits), activationMap, severity: null, embedding: null };
    const screener = new FilmScreener({ manifest, shared } as any, { run: () => prediction } as any);
    const { picture, map: evidence, ...about } = await screener.screen(bytes(film), "film.png", bone);
    return { ...about, map: evidence && shown(evidence) };
  },
  fixed: (values: [number, number][]) => values.map(([value, digits]) => fixed(value, digits)),
  calibrated: (logits: number[], temperature) => Array.from(calibrated(Float32Array.from(logits), temperature)),
  decide: (scores: number[], decision) => scores.map((score) => decide(score, decision, line)),
  ends: (model) => {
    const { inputs, outputs, places } = readEnds(bytes(model));
    return { inputs, outputs, places: Object.fromEntries(places) };
  },
  decode: async (file, name) => {
    const { pixels, ...about } = await decode(bytes(file), name, shared, { ...shared, line });
    return { ...about, pixels: shown(pixels) };
  },
  ended: async () => {
    globalThis.Worker = class {
      onmessage: any;
      onerror: any;
      postMessage({ id, task }: any) {
        queueMicrotask(() => (task === "open" ? this.onmessage({ data: { id, result: {} } }) : this.onerror()));
      }
      terminate() {
        this.postMessage = () => undefined;
      }
    } as any;
    const screener = await Screener.open("http://localhost/");
    const said = () => screener.decode(new ArrayBuffer(1), "film.png").then(String, String);
    return [await said(), await Promise.race([said(), new Promise((resolve) => setTimeout(resolve, 1000, "nothing"))])];
  },
  cleaned: (file, format) => {
    const cleaned = withoutMetadata(bytes(file), format);
    return cleaned && Buffer.from(cleaned).toString("base64");
  },
  grey: (picture) => Buffer.from(greyPng(plane(picture))).toString("base64"),
  vault: (files: string[]) => readVault(files.map(bytes), shared.vault).slots,
  unlocked: (file, secret) => {
    const keys = openVault(readVault([bytes(file)], shared.vault), secret, shared.vault);
    return keys && base64(keys.database);
  },
  hidden: (dataKey, sha) => new Keys(bytes(dataKey), shared.vault).hiddenName(sha),
  database: (file, key) => base64(decryptDatabase(bytes(file), bytes(key), shared.vault)),
  unsealed: async (dataKey, name, file, isSecure) => {
    const keys = new Keys(bytes(dataKey), shared.vault, isSecure ? crypto.subtle : null);
    const opened = await keys.openSealed(name, bytes(file));
    return opened && base64(opened);
  },
  rejections: (picture, gate, metalCounts) =>
    rejections({ pixels: plane(picture), chroma: 0, modality: null } as any, gate, shared, line, metalCounts),
};

for await (const question of createInterface({ input: process.stdin })) {
  const { ask, values } = JSON.parse(question);
  let answer: unknown;
  try {
    answer = { result: (await QUESTIONS[ask]!(...values)) ?? null };
  } catch (error) {
    answer = { error: String((error as Error)?.message ?? error), isForUser: error instanceof ScreeningError };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
