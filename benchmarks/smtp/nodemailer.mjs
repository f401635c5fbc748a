// Sends COUNT messages to PORT over CONNECTIONS: node nodemailer.mjs PORT COUNT CONNECTIONS issue.json
// issue.json has html and text with {{ name }} for values, and the values; prints the seconds it took.
import { readFileSync } from 'node:fs'
import nodemailer from 'nodemailer'

const [port, count, connections, file] = process.argv.slice(2)
const issue = JSON.parse(readFileSync(file, 'utf8'))
const fill = (template) => template.replace(/\{\{ (\w+) \}\}/g, (_, name) => issue.values[name])
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: Number(port), pool: true, maxConnections: Number(connections), maxMessages: Infinity,
  ignoreTLS: true,
})
const began = process.hrtime.bigint()
let next = 0
async function work() {
  while (next < Number(count)) {
    const number = next++
    await transport.sendMail({
      from: 'Daily Papers <papers@example.org>', to: `Reader <reader${number}@example.org>`, subject: issue.subject,
      messageId: `<${number}@example.org>`, text: fill(issue.text), html: fill(issue.html),
      headers: { 'List-Unsubscribe': `<${issue.values.unsubscribe_url}>` }, textEncoding: 'quoted-printable',
    })
  }
}
await Promise.all(Array.from({ length: Number(connections) * 2 }, work))
console.log(Number(process.hrtime.bigint() - began) / 1e9)
transport.close()
