// Pages in one headless Chromium. On standard input {chromium, profile, picture, pages: [{name, file, folder}]}, on
// output {name: {violations: {light, dark, narrow}, widths, requests}}. A page with a `folder` is photographed into it;
// `picture` is the PNG that stands for every image.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const { chromium, profile, picture, pages } = JSON.parse(readFileSync(0, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const png = { status: 200, contentType: "image/png", body: Buffer.from(picture, "base64") };
const views = { light: [640, "light"], dark: [640, "dark"], narrow: [375, "light"] };
const widths = [320, 375, 800];
// A mail has no landmarks: webmail puts it into a page that has them.
const rules = { "landmark-one-main": { enabled: false }, region: { enabled: false } };

const browser = await puppeteer.launch({
  executablePath: chromium,
  userDataDir: profile,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--font-render-hinting=none", "--disable-lcd-text",
    "--force-color-profile=srgb", "--host-resolver-rules=MAP * ~NOTFOUND",
  ],
});

async function look(page, { file, folder }) {
  const url = pathToFileURL(file).href;
  const requests = [];
  const answer = (request) => {
    if (request.url() === url) return request.continue();
    requests.push(`${request.resourceType()} ${request.url()}`);
    return request.resourceType() === "image" ? request.respond(png) : request.abort();
  };
  page.on("request", answer);
  await page.goto(url, { waitUntil: "load" });
  const seen = { violations: {}, widths: {}, requests };
  await page.evaluate(axe);
  for (const [view, [width, scheme]] of Object.entries(views)) {
    await page.setViewport({ width, height: 800 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    if (folder) await page.screenshot({ path: `${folder}/${view}.png`, fullPage: true });
    seen.violations[view] = await page.evaluate(async (options) => {
      const { violations } = await axe.run(document, options);
      return violations.flatMap((found) => found.nodes.map((node) => `${found.id}: ${node.html.slice(0, 300)}`));
    }, { resultTypes: ["violations"], rules });
  }
  for (const width of widths) {
    await page.setViewport({ width, height: 800 });
    seen.widths[width] = await page.evaluate(() => document.documentElement.scrollWidth);
  }
  page.off("request", answer);
  return seen;
}

try {
  const results = {};
  const waiting = [...pages];
  const work = async () => {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.setRequestInterception(true);
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next.name] = await look(page, next);
  };
  await Promise.all([work(), work()]);
  process.stdout.write(JSON.stringify(results));
} finally {
  await browser.close();
}
