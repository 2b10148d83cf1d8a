// Holds the dashboards against the types that Grafana publishes (@grafana/schema): a misspelt option or a value that
// Grafana does not know is an error of the TypeScript compiler. Needs `npm ci` in this folder.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const boards = join(here, "../../../dashboards/grafana");
const raw = "@grafana/schema/dist/esm/raw/composable";
const panels = { stat: "Stat", "state-timeline": "StateTimeline", table: "Table", timeseries: "TimeSeries" };

// J<T>: T as JSON has it, with the values of enumerations instead of their names. Beside what the types know stand
// the words of Prometheus' data source, and a table's `cellHeight`, whose type lives in another place.
const head = `
import type { AnnotationQuery, Dashboard, VariableModel } from "@grafana/schema";
${Object.values(panels).map((name) => `import type * as ${name} from "${raw}/${name.toLowerCase()}/panelcfg/x/${name}PanelCfg_types.gen";`).join("\n")}
type J<T> = unknown extends T ? T
  : T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends number ? (\`\${number}\` extends \`\${T}\` ? number : \`\${T}\` extends \`\${infer N extends number}\` ? N : never)
  : T extends (infer E)[] ? J<E>[]
  : T extends object ? { [K in keyof T]: J<T[K]> } : T;
type Variable = J<VariableModel> & { definition?: string };
type Note = J<AnnotationQuery> & { expr: string; step: string; titleFormat: string; textFormat: string; tagKeys: string; useValueForTime: boolean };
type Board = Omit<J<Dashboard>, "templating" | "annotations" | "id"> & { id: null; templating: { list: Variable[] }; annotations: { list: Note[] } };
`;

// One file of TypeScript for a dashboard: the whole, and the options of every panel of a kind with types of its own.
function source(board) {
  const lines = [`export const board = ${JSON.stringify(board, null, 1)} satisfies Board;`];
  for (const panel of board.panels.filter((one) => panels[one.type])) {
    const name = panels[panel.type];
    lines.push(`export const options_${panel.id} = ${JSON.stringify(panel.options)} satisfies Partial<J<${name}.Options>>;`);
    if (panel.type !== "stat" && panel.type !== "table") {
      lines.push(`export const custom_${panel.id} = ${JSON.stringify(panel.fieldConfig.defaults.custom)} satisfies Partial<J<${name}.FieldConfig>>;`);
    }
  }
  return head + lines.join("\n");
}

// What the compiler says of these dashboards, by name.
function complaints(named) {
  const folder = mkdtempSync(join(here, "checked-"));
  try {
    for (const [name, board] of Object.entries(named)) writeFileSync(join(folder, `${name}.ts`), source(board));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: "nodenext", target: "es2022", skipLibCheck: true, types: [] },
      include: ["*.ts"],
    }));
    execFileSync(join(here, "node_modules/.bin/tsc"), ["-p", folder, "--pretty", "false"], { encoding: "utf8" });
    return "";
  } catch (error) {
    return error.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const files = readdirSync(boards).filter((name) => name.endsWith(".json"));
const good = Object.fromEntries(files.map((name) => [name.replace(".json", ""), JSON.parse(readFileSync(join(boards, name)))]));

test("dashboards are what Grafana's types say", () => {
  assert.equal(files.length, 3);
  assert.equal(complaints(good), "");
});

test("a fault is caught", () => {
  const plant = (change) => { const board = structuredClone(good["danelaw-mx"]); change(board); return board; };
  const of = (board, kind) => board.panels.find((one) => one.type === kind);
  const said = complaints({
    misspelt: plant((board) => { of(board, "state-timeline").options.showValues = "auto"; }),
    unknown: plant((board) => { of(board, "stat").options.colorMode = "words"; }),
    numbered: plant((board) => { board.graphTooltip = 7; }),
    extra: plant((board) => { board.editible = false; }),
    lacking: plant((board) => { delete of(board, "timeseries").options.legend.calcs; }),
  });
  for (const name of ["misspelt", "unknown", "numbered", "extra", "lacking"]) assert.match(said, new RegExp(`${name}\\.ts.*error`), said);
});
