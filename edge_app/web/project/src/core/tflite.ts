/** What LiteRT.js does not tell of a TFLite file: its inputs and outputs in their order, and how integers scale. */

/** A tensor of the main graph. `scale` 0 is not quantized: real value = (stored - zeroPoint) * scale. */
export interface TensorDetail {
  readonly index: number;
  readonly type: "float32" | "int8" | "uint8";
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface GraphEnds {
  readonly inputs: readonly TensorDetail[];
  readonly outputs: readonly TensorDetail[];
  /** For each output by its name in the first signature: its place among `outputs`. Empty without signatures. */
  readonly places: ReadonlyMap<string, number>;
}

/** Element types of the schema (tensorflow/lite/schema/schema.fbs) that a model's ends may have. */
const TYPES: Readonly<Record<number, TensorDetail["type"]>> = { 0: "float32", 3: "uint8", 9: "int8" };
/** Places of fields in the schema's tables. */
const MODEL = { subgraphs: 2, signatures: 7 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 };
const TENSOR = { shape: 0, type: 1, quantization: 4 };
const QUANTIZATION = { scale: 2, zeroPoint: 3 };
const SIGNATURE = { outputs: 1 };
const NAMED = { name: 0, index: 1 };

/** The ends of a model's graph; RangeError for what is no TFLite file, or has ends of other types. */
export function readEnds(model: Uint8Array): GraphEnds {
  const root = Table.root(model);
  const graph = root.tables(MODEL.subgraphs)[0];
  if (!graph) {
    throw new RangeError("a model without a graph");
  }
  const tensors = graph.tables(SUBGRAPH.tensors);
  const details = (field: number) => graph.numbers(field).map((index) => detailOf(tensors[index], index));
  const outputs = details(SUBGRAPH.outputs);
  const named = root.tables(MODEL.signatures)[0]?.tables(SIGNATURE.outputs) ?? [];
  const place = (entry: Table) => outputs.findIndex(({ index }) => index === entry.number(NAMED.index));
  const places = new Map(named.map((entry) => [entry.text(NAMED.name), place(entry)]));
  return { inputs: details(SUBGRAPH.inputs), outputs, places };
}

function detailOf(tensor: Table | undefined, index: number): TensorDetail {
  const type = TYPES[tensor?.byte(TENSOR.type) ?? -1];
  if (!tensor || !type) {
    throw new RangeError("a tensor of a type that is not read here");
  }
  const quantization = tensor.table(TENSOR.quantization);
  return {
    index,
    type,
    shape: tensor.numbers(TENSOR.shape),
    scale: quantization?.floats(QUANTIZATION.scale)[0] ?? 0,
    zeroPoint: quantization?.longs(QUANTIZATION.zeroPoint)[0] ?? 0,
  };
}

/** A table of a FlatBuffer (flatbuffers.dev, "FlatBuffer Internals"); absent fields are empty or 0. */
class Table {
  private constructor(
    private readonly view: DataView,
    private readonly at: number,
  ) {}

  static root(bytes: Uint8Array): Table {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Table(view, view.getUint32(0, true));
  }

  byte(field: number): number {
    const place = this.place(field);
    return place ? this.view.getInt8(place) : 0;
  }

  number(field: number): number {
    const place = this.place(field);
    return place ? this.view.getInt32(place, true) : 0;
  }

  table(field: number): Table | null {
    const place = this.place(field);
    return place ? new Table(this.view, this.target(place)) : null;
  }

  tables(field: number): Table[] {
    return this.items(field, 4, (place) => new Table(this.view, this.target(place)));
  }

  numbers(field: number): number[] {
    return this.items(field, 4, (place) => this.view.getInt32(place, true));
  }

  floats(field: number): number[] {
    return this.items(field, 4, (place) => this.view.getFloat32(place, true));
  }

  longs(field: number): number[] {
    return this.items(field, 8, (place) => Number(this.view.getBigInt64(place, true)));
  }

  text(field: number): string {
    return String.fromCharCode(...this.items(field, 1, (place) => this.view.getUint8(place)));
  }

  /** Where a field's value lies; 0 where it is absent. */
  private place(field: number): number {
    const fields = this.at - this.view.getInt32(this.at, true);
    const slot = 4 + 2 * field;
    const offset = slot < this.view.getUint16(fields, true) ? this.view.getUint16(fields + slot, true) : 0;
    return offset && this.at + offset;
  }

  private target(place: number): number {
    return place + this.view.getUint32(place, true);
  }

  private items<T>(field: number, bytes: number, read: (place: number) => T): T[] {
    const place = this.place(field);
    const start = place && this.target(place);
    const count = place && this.view.getUint32(start, true);
    return Array.from({ length: count }, (_, item) => read(start + 4 + bytes * item));
  }
}
