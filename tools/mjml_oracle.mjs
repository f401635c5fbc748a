// What npm `mjml` in its strict mode says of the cases of `tests/data/lint`, so that the tests need no npm.
//
//     node tools/mjml_oracle.mjs           writes npm.json beside each issue.mjml.j2 that includes nothing
//
// The package is installed into a temporary folder, at the version below.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "4.18.0";
const CASES = fileURLToPath(new URL("../tests/data/lint/", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "mjml-"));
try {
  const options = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", folder];
  execFileSync("npm", [...options, `mjml@${VERSION}`], { stdio: ["ignore", "ignore", "inherit"] });
  const mjml = createRequire(join(folder, "package.json"))("mjml");
  for (const name of readdirSync(CASES).sort()) {
    const file = join(CASES, name, "issue.mjml.j2");
    const source = existsSync(file) ? readFileSync(file, "utf8") : "<mj-include";
    if (source.includes("<mj-include")) continue;
    const found = complaints(mjml.default ?? mjml, source);
    const sha256 = createHash("sha256").update(source).digest("hex"); // so that a changed case asks for this again
    writeFileSync(join(CASES, name, "npm.json"), `${JSON.stringify({ mjml: VERSION, sha256, found }, null, 1)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function complaints(mjml, source) {
  try {
    mjml(source, { validationLevel: "strict", ignoreIncludes: true });
    return [];
  } catch (error) {
    if (!error.errors) throw error;
    return error.errors.map(({ line, tagName, message }) => ({ line, tag: tagName, message: message.trim() }));
  }
}
