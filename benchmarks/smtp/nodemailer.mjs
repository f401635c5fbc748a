// Sends messages through nodemailer's pool: node nodemailer.mjs told.json
// told.json: port, count, connections, starttls, ready (bytes to send as they are, in base64) or issue (subject, html and
// text with {{ name }} for values, and the values), dkim (domainName, keySelector, privateKey). Prints the seconds and
// those of the CPU, and the most memory in MB.
import { readFileSync } from 'node:fs'
import nodemailer from 'nodemailer'

const { port, count, connections, starttls, ready, issue, dkim } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const raw = ready && Buffer.from(ready, 'base64')
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port, pool: true, maxConnections: connections, maxMessages: Infinity,
  ignoreTLS: !starttls, requireTLS: starttls, tls: { rejectUnauthorized: false }, ...(dkim && { dkim }),
})

function message(number) {
  const to = `reader${number}@example.org`
  if (raw) return { envelope: { from: 'papers@example.org', to }, raw }
  const values = { ...issue.values, name: `Reader ${number}`, unsubscribe_url: issue.values.unsubscribe_url + number }
  const fill = (template) => template.replace(/\{\{ (\w+) \}\}/g, (_, name) => values[name])
  return {
    from: 'Daily Papers <papers@example.org>', to: `${values.name} <${to}>`, subject: issue.subject,
    messageId: `<${number}@example.org>`, text: fill(issue.text), html: fill(issue.html),
    headers: { 'List-Unsubscribe': `<${values.unsubscribe_url}>` }, textEncoding: 'quoted-printable',
  }
}

const began = process.hrtime.bigint(), before = process.cpuUsage()
let next = 0
async function work() {
  while (next < count) await transport.sendMail(message(next++))
}
await Promise.all(Array.from({ length: connections * 2 }, work))
const { user, system } = process.cpuUsage(before)
console.log(Number(process.hrtime.bigint() - began) / 1e9, (user + system) / 1e6,
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024)
transport.close()
