/** Where LiteRT.js's scripts and WebAssembly lie, relative to the app: known when it is built, by their version. */
declare const LITERT_FOLDER: string;
