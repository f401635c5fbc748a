// node pages.mjs CHROMIUM URL...: a line of JSON for each page, its four scores and what cost any of them points.
import * as chromeLauncher from 'chrome-launcher'
import lighthouse from 'lighthouse'

const [chromePath, ...urls] = process.argv.slice(2)
const chrome = await chromeLauncher.launch({
  chromePath,
  chromeFlags: ['--headless', '--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
})
for (const url of urls) {
  let lhr
  for (let tries = 0; tries < 3 && (!lhr || lhr.runtimeError); tries++) {
    lhr = (await lighthouse(url, { port: chrome.port, logLevel: 'error' })).lhr
  }
  const lost = lhr.runtimeError ? [`${lhr.runtimeError.code}: ${lhr.runtimeError.message}`] : []
  for (const category of Object.values(lhr.categories)) {
    for (const { id, weight } of category.auditRefs) {
      const { score, title } = lhr.audits[id]
      if (weight > 0 && score !== null && score < 1) lost.push(`${category.id}: ${title} (${id}, ${score})`)
    }
  }
  const scores = Object.values(lhr.categories).map(({ id, score }) => [id, Math.round(score * 100)])
  console.log(JSON.stringify({ url, scores: Object.fromEntries(scores), lost }))
}
chrome.kill()
