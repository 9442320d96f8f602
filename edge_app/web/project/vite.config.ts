import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const LITERT = new URL("./node_modules/@litertjs/core/", import.meta.url);
const LITERT_VERSION: string = JSON.parse(readFileSync(new URL("package.json", LITERT), "utf8")).version;
const LITERT_FOLDER = `assets/litert-${LITERT_VERSION}/`;
/** With relaxed SIMD, and without: one of the two runs in every browser that has WebAssembly with SIMD. */
const VARIANTS = ["litert_wasm_internal", "litert_wasm_compat_internal"];

/** LiteRT.js finds its WebAssembly by name, beside the script that loads it: the folder's name holds the version. */
function litert(): Plugin {
  return {
    name: "litert",
    apply: "build",
    generateBundle() {
      for (const file of VARIANTS.flatMap((name) => [`${name}.js`, `${name}.wasm`])) {
        this.emitFile({
          type: "asset",
          fileName: LITERT_FOLDER + file,
          source: readFileSync(new URL(`wasm/${file}`, LITERT)),
        });
      }
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [litert()],
  define: { LITERT_FOLDER: JSON.stringify(LITERT_FOLDER) },
  // one classic script: LiteRT.js loads its own by importScripts, which a module worker has not
  worker: { format: "iife" },
  build: {
    outDir: "../built",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: { index: "index.html", sw: "src/sw.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
