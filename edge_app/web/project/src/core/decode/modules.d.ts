/** Packages that bring no types, or not where their bundler looks. */

declare module "@cornerstonejs/codec-*/decodewasmjs" {
  const open: import("./codecs").CodecModule;
  export default open;
}

declare module "jpeg-lossless-decoder-js" {
  type Lossless = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;

  export class Decoder {
    decode(buffer: ArrayBuffer, offset: number, length: number, bytesEach: number): Lossless;
  }
}
