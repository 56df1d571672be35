// What axe-core finds in pages, in Chromium: `node axe.mjs FILE…` prints one JSON object a page.
// The browser is that of CHROMIUM, else the one that comes as a package.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const require = createRequire(import.meta.url);

// Unpacks it into TMPDIR, with the libraries and the fonts that a machine without a desktop has not.
async function packaged() {
  const { inflate } = await import("./node_modules/@sparticuz/chromium/build/esm/lambdafs.js");
  const folder = join(import.meta.dirname, "node_modules", "@sparticuz", "chromium", "bin");
  await inflate(join(folder, "al2023.tar.br"));
  process.env.LD_LIBRARY_PATH = join(tmpdir(), "al2023", "lib");
  const program = await (await import("@sparticuz/chromium")).default.executablePath();
  process.env.FONTCONFIG_PATH = join(tmpdir(), "fonts");
  return program;
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? (await packaged()),
  headless: process.env.CHROMIUM ? true : "shell",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
try {
  for (const file of process.argv.slice(2)) {
    const page = await browser.newPage();
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.setViewport({ width: 1000, height: 1400 });
    await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
    // By the debugger, since the page itself lets no script run.
    await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
    const result = await page.evaluate(() => globalThis.axe.run(document));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    const brief = (rules) => rules.map((rule) => ({ id: rule.id, help: rule.help, nodes: rule.nodes.map((n) => n.html) }));
    console.log(JSON.stringify({
      violations: brief(result.violations), incomplete: brief(result.incomplete), passes: result.passes.length,
      requests: asked.length, wide,
    }));
    await page.close();
  }
} finally {
  await browser.close();
}
