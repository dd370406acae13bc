import { defineConfig } from "vite";

// One classic script and one style sheet: a page opened from disk may load no module, and the
// self-contained page carries both in itself. `index.html` lies in public/ and is copied.
export default defineConfig({
  build: {
    target: "es2024",
    modulePreload: false,
    reportCompressedSize: false,
    lib: { entry: "src/main.ts", formats: ["iife"], name: "explorer", cssFileName: "explorer" },
    rollupOptions: {
      output: { entryFileNames: "assets/explorer.js", assetFileNames: "assets/[name][extname]" },
    },
  },
});
