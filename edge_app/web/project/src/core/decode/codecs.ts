/** Decoders in WebAssembly, each fetched when a file first needs it. */

import lsModule from "@cornerstonejs/codec-charls/decodewasmjs";
import lsWasm from "@cornerstonejs/codec-charls/decodewasm?url";
import jpegModule from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs";
import jpegWasm from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url";
import j2kModule from "@cornerstonejs/codec-openjpeg/decodewasmjs";
import j2kWasm from "@cornerstonejs/codec-openjpeg/decodewasm?url";

import { fetchBytes } from "../fetching";

/** What a decoder says of a frame. */
export interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
}

/** A decoder of one frame; `decode` throws what is no Error, for damage too. */
export interface FrameDecoder {
  getEncodedBuffer(bytes: number): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  /** A view of memory that is used again: values of 8 or 16 bits, little-endian. */
  getDecodedBuffer(): Uint8Array;
  delete(): void;
}

type Codec = Readonly<Record<string, new () => FrameDecoder>>;
type Print = (line: string) => void;
export type CodecModule = (options: { wasmBinary: ArrayBuffer; print: Print; printErr: Print }) => Promise<Codec>;

/** By what is decoded: the module, the address of its WebAssembly, and the name of its decoder. */
const CODECS = {
  jpeg: [jpegModule, jpegWasm, "JPEGDecoder"],
  "jpeg-ls": [lsModule, lsWasm, "JpegLSDecoder"],
  "jpeg-2000": [j2kModule, j2kWasm, "J2KDecoder"],
} as const;
const opened = new Map<string, Promise<Codec>>();

/** A new decoder, to be deleted after use; ScreeningError where its WebAssembly cannot be fetched. */
export async function openDecoder(kind: keyof typeof CODECS): Promise<FrameDecoder> {
  const [module, url, name] = CODECS[kind];
  const codec = opened.get(kind) ?? load(module, url);
  opened.set(kind, codec);
  codec.catch(() => opened.delete(kind));
  return new (await codec)[name]!();
}

async function load(module: CodecModule, url: string): Promise<Codec> {
  const print = (line: string) => console.debug(line); // what it does; what is wrong it throws
  return module({ wasmBinary: (await fetchBytes(url)).buffer, print, printErr: print });
}
