// node build.mjs OUTDIR: makes the API's types from openapi.json, type-checks the page against them and writes index.html,
// app.css, app.js, which is what the first view needs, views.js, which is all others, and chunk.js, which is what both need.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../../build/ui"));
process.chdir(here);
const { build } = await import("esbuild");
const { default: openapi, astToString } = await import("openapi-typescript");
mkdirSync("made", { recursive: true });
const types = `made/openapi.${process.pid}`; // two builds may run at once
writeFileSync(types, astToString(await openapi(new URL("../openapi.json", import.meta.url))));
renameSync(types, "made/openapi.d.ts");
execFileSync(process.execPath, ["node_modules/typescript-7/bin/tsc", "-p", "."], { stdio: "inherit" });
mkdirSync(out, { recursive: true });
const { metafile } = await build({
  entryPoints: { app: "src/main.tsx" },
  metafile: true,
  bundle: true,
  splitting: true,
  chunkNames: "[name]",
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  outdir: out,
  logLevel: "warning",
});
// web/CMakeLists.txt embeds these.
const made = Object.keys(metafile.outputs).map((path) => basename(path));
if (made.sort().join() !== "app.js,chunk.js,views.js") throw new Error(`the page came in other parts: ${made}`);
await build({ entryPoints: { app: "src/app.css" }, bundle: true, minify: true, outdir: out, logLevel: "warning" });
copyFileSync("src/index.html", join(out, "index.html"));
