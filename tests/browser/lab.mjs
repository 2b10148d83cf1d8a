// A running lab with the real agent in it, for browser tests. Needs root, like the lab itself.
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url)); // Debian 12's Node has no import.meta.dirname
const lab = path.join(root, "tests/lab/lab");
const danelaw = process.env.DANELAW ?? path.join(root, "build/release/danelaw");
const port = 26000 + (process.pid % 3000);

export const screens = path.join(root, "build/screenshots");

// Polls until `condition` gives something true; says what was awaited when it does not.
export async function until(what, seconds, condition) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export class LivingLab {
  url = `http://127.0.0.1:${port}`;

  async start() {
    this.dir = mkdtempSync(path.join(tmpdir(), "danelaw-browser-"));
    this.mailLog = path.join(this.dir, "mail.log");
    this.up = spawn(lab, ["up", "--dir", this.dir, "--publish", `${port}:9672`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve, reject) => {
      this.up.stdout.on("data", (text) => {
        if (String(text).includes("lab ready")) resolve();
      });
      this.up.on("exit", () => reject(new Error("the lab did not start")));
    });
    this.expected = JSON.parse(readFileSync(path.join(this.dir, "expected.json")));
    const config = path.join(this.dir, "danelaw.yaml");
    writeFileSync(
      config,
      `${readFileSync(config, "utf8").replace("port: 9672}", "port: 9672, public_badges: [healthy.test, mismatch.test]}")}
postfix: {log: ${this.mailLog}}
`,
    );
    writeFileSync(this.mailLog, "");
    const log = openSync(path.join(this.dir, "agent.log"), "a");
    this.agent = spawn(lab, ["exec", "--dir", this.dir, danelaw, "run", "--config", config], {
      stdio: ["ignore", log, log],
    });
    await until("every domain has its verdict", 60, async () => {
      const items = await this.items("/api/v1/domains?limit=500");
      const seen = new Map(items.map((item) => [item.domain, item.verdict]));
      return Object.entries(this.expected).every(([name, want]) => seen.get(name) === want.verdict);
    });
  }

  async json(where) {
    return await (await fetch(this.url + where)).json();
  }

  async items(where) {
    try {
      const reply = await fetch(this.url + where);
      return reply.ok ? (await reply.json()).items : [];
    } catch {
      return []; // not listening yet
    }
  }

  // One command of the lab's own; gives what it prints.
  command(...words) {
    return execFileSync(lab, [words[0], "--dir", this.dir, ...words.slice(1)], { encoding: "utf8" }).trim();
  }

  // Lines in the log of our own Postfix, as of now.
  delivered(...lines) {
    const now = new Date().toISOString();
    appendFileSync(this.mailLog, lines.map((line) => `${now} out postfix/${line}\n`).join(""));
  }

  // The certificates, without the key, that `prepare` made for a host.
  nextCertificate(host) {
    const { run } = JSON.parse(readFileSync(path.join(this.dir, "lab.json")));
    const pem = readFileSync(path.join(run, "pki/next", `${host}.ecdsa.pem`), "utf8");
    return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g).join("\n");
  }

  async stop() {
    const over = new Promise((resolve) => this.up.on("exit", resolve));
    this.up.kill("SIGTERM");
    await over;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
