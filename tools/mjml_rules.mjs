// What MJML allows, out of the packages of npm `mjml` itself: tags, their parents, their attributes and kinds of values.
//
//     node tools/mjml_rules.mjs            writes newsletter/render/lint/data/mjml.json
//
// The packages are installed into a temporary folder, at the version below. No package runs a script.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "4.18.0";
const TARGET = fileURLToPath(new URL("../newsletter/render/lint/data/mjml.json", import.meta.url));
// Tags that the validator knows by name alone: they have no component.
const WITHOUT_COMPONENT = {
  "mj-all": ["mj-attributes"],
  "mj-class": ["mj-attributes"],
  "mj-selector": ["mj-html-attributes"],
  "mj-html-attribute": ["mj-selector"],
};

const folder = mkdtempSync(join(tmpdir(), "mjml-"));
try {
  const options = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", folder];
  execFileSync("npm", [...options, `mjml@${VERSION}`], { stdio: ["ignore", "ignore", "inherit"] });
  const load = createRequire(join(folder, "package.json"));
  writeFileSync(TARGET, `${JSON.stringify(table(load), null, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function table(load) {
  const preset = load("mjml-preset-core");
  const { components, dependencies } = preset.default ?? preset;
  const colours = load("mjml-core/lib/types/helpers/colors");
  const tags = { mjml: { attributes: { lang: "string", dir: "string", owa: "string" }, parents: [], holds_html: false } };
  for (const component of components) {
    const name = component.componentName;
    const parents = Object.keys(dependencies).filter((parent) => dependencies[parent].includes(name));
    const attributes = component.allowedAttributes ?? {};
    tags[name] = { attributes, parents, holds_html: Boolean(component.endingTag) };
  }
  for (const [name, parents] of Object.entries(WITHOUT_COMPONENT)) {
    tags[name] = { attributes: null, parents, holds_html: name === "mj-html-attribute" };
  }
  return {
    source: "npm mjml-preset-core, mjml-core and the mjml-* components it names: allowedAttributes, dependencies",
    version: load("mjml/package.json").version,
    licence: "MIT, https://github.com/mjmlio/mjml/blob/master/LICENSE.md",
    every_tag: ["mj-class", "css-class"],
    takes_anything: ["mj-attributes"],
    colours: colours.default ?? colours,
    tags,
  };
}
