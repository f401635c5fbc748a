// What mailauth says of signed mails: {records: {name: text}, mails: {name: base64}} on standard input, {name: [{selector, algorithm, result}, ...]} on output.
import { readFileSync } from "node:fs";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";

const { records, mails } = JSON.parse(readFileSync(0, "utf8"));
const resolver = async (name, type) => {
  if (type === "TXT" && records[name]) {
    return [records[name].match(/.{1,255}/g)];
  }
  throw Object.assign(new Error(`no ${type} of ${name}`), { code: "ENOTFOUND" });
};
const answers = {};
for (const [name, mail] of Object.entries(mails)) {
  const { results } = await dkimVerify(Buffer.from(mail, "base64"), { resolver });
  answers[name] = results.map(({ selector, algo, status }) => ({ selector, algorithm: algo, result: status.result }));
}
process.stdout.write(JSON.stringify(answers));
