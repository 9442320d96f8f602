/** Run a model by LiteRT.js; integer ends are handled inside, as `osteo_edge.runtime` does. */

import { LiteRt, supportsFeature } from "@litertjs/core";
import { createWasmLib } from "@litertjs/wasm-utils";

import type { Outputs } from "./manifest";
import { roundHalfEven } from "./rounding";
import { readEnds } from "./tflite";
import type { GraphEnds, TensorDetail } from "./tflite";
import { ScreeningError } from "./types";

/** Values (rows, columns, labels) by rows, in logit units. */
export interface ActivationMap {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** What a network answers for one image (`osteo_edge.runtime.Prediction`). */
export interface Prediction {
  readonly logits: Float32Array;
  readonly activationMap: ActivationMap | null;
  readonly severity: Float32Array | null;
  readonly embedding: Float32Array | null;
}

type Wasm = LiteRt["liteRtWasm"];
type Compiled = Awaited<ReturnType<Wasm["compileModel"]>>;
type Model = ReturnType<Wasm["loadModel"]>;
type Environment = ReturnType<Wasm["LiteRtEnvironment"]["create"]>;
type Buffer = ReturnType<Wasm["LiteRtTensorBuffer"]["createManaged"]>;

const { fround } = Math;
const LIMITS = { int8: [-128, 127], uint8: [0, 255] } as const;
const NO_WEBASSEMBLY = "This browser is too old for this page: it has no WebAssembly. Update it, or use another one.";
const NOT_LOADED =
  "The model cannot be started in this browser. Load the page again, or use another browser or device.";

/**
 * A model that is ready to run, one image after another.
 *
 * LiteRT.js's own Tensor knows no int8, which is what a quantized model takes: its WebAssembly is used directly.
 */
export class Interpreter {
  private constructor(
    private readonly wasm: Wasm,
    private readonly environment: Environment,
    private readonly model: Model,
    private readonly compiled: Compiled,
    private readonly ends: GraphEnds,
    private readonly outputs: Outputs,
  ) {}

  /** Load the model; `folder` is the address of LiteRT.js's scripts. ScreeningError where it does not run here. */
  static async open(bytes: Uint8Array, outputs: Outputs, folder: string): Promise<Interpreter> {
    if (typeof WebAssembly !== "object") {
      throw new ScreeningError(NO_WEBASSEMBLY);
    }
    try {
      const wasm = await loadWasm(folder);
      const environment = wasm.LiteRtEnvironment.create(null);
      const place = wasm._malloc(bytes.length); // kept: the model is read where it lies
      wasm.HEAPU8.set(bytes, place);
      const model = wasm.loadModel(environment, place, bytes.length);
      const compiled = await wasm.compileModel(environment, model, { accelerator: "wasm" });
      return new Interpreter(wasm, environment, model, compiled, readEnds(bytes), outputs);
    } catch (error) {
      console.error(error);
      throw new ScreeningError(NOT_LOADED);
    }
  }

  /** Answer for one tensor (1, height, width, channels) of real values, whatever the model's own types are. */
  async run(tensor: Float32Array): Promise<Prediction> {
    const input = this.inputBuffer(tensor);
    try {
      const buffers = await this.compiled.run(0, [input]);
      const values = this.inOrder(buffers.map((buffer) => this.bytesOf(buffer)));
      buffers.forEach((buffer) => buffer.delete());
      return this.prediction(values);
    } finally {
      input.delete();
    }
  }

  private prediction(values: readonly Float32Array[]): Prediction {
    const of = (place: number | null | undefined) => (place == null ? null : (values[place] ?? null));
    const { logits, activation_map: map, severity, embedding } = this.outputs;
    const [, rows = 0, columns = 0] = map == null ? [] : (this.ends.outputs[map]?.shape ?? []);
    const data = of(map);
    return {
      logits: values[logits]!,
      activationMap: data && { rows, columns, data },
      severity: of(severity),
      embedding: of(embedding),
    };
  }

  private inputBuffer(tensor: Float32Array): Buffer {
    const { wasm, environment } = this;
    const type = this.model.getInputTensorType(0, 0);
    const bytes = quantized(tensor, this.ends.inputs[0]!);
    const buffer = wasm.LiteRtTensorBuffer.createManaged(
      environment,
      wasm.LiteRtTensorBufferType.HOST_MEMORY,
      type,
      bytes.length,
    );
    type.delete();
    wasm.HEAPU8.set(bytes, buffer.lock(wasm.LiteRtTensorBufferLockMode.WRITE));
    buffer.unlock();
    return buffer;
  }

  private bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
    const { wasm } = this;
    const place = buffer.lock(wasm.LiteRtTensorBufferLockMode.READ);
    const bytes = wasm.HEAPU8.slice(place, place + buffer.packedSize());
    buffer.unlock();
    return bytes;
  }

  /** The outputs as the file orders them; LiteRT.js orders them as the signature does. */
  private inOrder(given: readonly Uint8Array<ArrayBuffer>[]): Float32Array[] {
    const signature = this.model.getSignature(0);
    const names = signature.outputNames();
    const values: Float32Array[] = [];
    given.forEach((bytes, number) => {
      const place = this.ends.places.get(names.get(number) as unknown as string) ?? number;
      values[place] = dequantized(bytes, this.ends.outputs[place]!);
    });
    names.delete();
    signature.delete();
    return values;
  }
}

/** LiteRT.js's WebAssembly of the kind that this browser has; `loadLiteRt` would look for a graphics processor. */
async function loadWasm(folder: string): Promise<Wasm> {
  const kind = (await supportsFeature("relaxedSimd")) ? "litert_wasm_internal" : "litert_wasm_compat_internal";
  const module = {
    locateFile: (name: string) => new URL(name, folder).href, // a worker would look in its own folder
    printErr: (line: string) => console.debug(line), // what it does, no errors
  };
  self.Module = module;
  const { liteRtWasm } = await createWasmLib(LiteRt as never, new URL(`${kind}.js`, folder).href) as LiteRt;
  return liteRtWasm;
}

/** Real values to what a tensor holds: round(value / scale) + zero point, clipped to its type (TFLite spec). */
function quantized(values: Float32Array, { type, scale, zeroPoint }: TensorDetail): Uint8Array {
  if (type === "float32" || scale === 0) {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
  const [low, high] = LIMITS[type];
  const step = fround(scale);
  const bytes = new Uint8Array(values.length);
  for (let place = 0; place < values.length; place++) {
    const level = roundHalfEven(fround(values[place]! / step)) + zeroPoint;
    bytes[place] = level < low ? low : level > high ? high : level;
  }
  return bytes;
}

/** What a tensor holds to real values: (stored - zero point) * scale. */
function dequantized(bytes: Uint8Array<ArrayBuffer>, { type, scale, zeroPoint }: TensorDetail): Float32Array {
  if (type === "float32" || scale === 0) {
    return new Float32Array(bytes.buffer);
  }
  const stored = type === "int8" ? new Int8Array(bytes.buffer) : bytes;
  return Float32Array.from(stored, (value) => (value - zeroPoint) * fround(scale));
}
