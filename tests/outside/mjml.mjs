// MJML sources as the reference compiler sees them: [source, ...] on standard input, [{html, errors}, ...] on output.
import { readFileSync } from "node:fs";
import mjml2html from "mjml";

const sources = JSON.parse(readFileSync(0, "utf8"));
const compiled = sources.map((source) => {
  const { html, errors } = mjml2html(source, { validationLevel: "soft", ignoreIncludes: true, keepComments: true });
  return { html, errors: errors.map((error) => error.formattedMessage) };
});
process.stdout.write(JSON.stringify(compiled));
