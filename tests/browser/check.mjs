// The mock's page in a real browser: what is on it, that its journal is live, that a flow goes through, and how it looks.
//
// Usage: node tests/browser/check.mjs BINARY [FOLDER FOR SCREENSHOTS], after tests/browser/setup.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { chromium } from 'playwright-core'

const [binary, shots = mkdtempSync(join(tmpdir(), 'oauthspec-page-'))] = process.argv.slice(2)
assert(binary, 'usage: check.mjs BINARY [FOLDER FOR SCREENSHOTS]')
mkdirSync(shots, { recursive: true })

const args = ['mock', '--format', 'json', '--login-help', 'on', '--seed', '1']
const mock = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const [line] = await once(createInterface(mock.stdout), 'line')
  const ready = JSON.parse(line)
  await check(ready.control.replace(/\/$/, ''), ready.issuer)
  mock.kill('SIGTERM')
  const [status] = await once(mock, 'exit')
  assert.equal(status, 0, 'the mock did not stop in order')
  console.log(`the page works in Chromium ${browser.version()}; screenshots in ${shots}`)
} finally {
  mock.kill('SIGKILL')
  await browser.close()
}

async function check(control, issuer) {
  const api = async (method, path, body) => {
    const response = await fetch(control + path, { method, body: body && JSON.stringify(body) })
    assert(response.ok, `${method} ${path}: ${response.status}`)
  }
  const token = (form) => fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) })
  const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })

  const page = await browser.newPage({ viewport: { width: 1200, height: 1000 } })
  const complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))

  // Something to see: a fault, a clock that stands, hostile parameters.
  await api('PUT', '/realms/default/faults/code-reusable.accept')
  await api('POST', '/realms/default/clock', { time: '2030-01-31T12:00:00Z', frozen: true })
  await api('POST', '/realms', { name: 'second' })
  const hostile = "<script>document.title='broken'</script>"
  await token({ grant_type: hostile, client_id: `"><img src=x onerror=document.title='broken'>` })

  await page.goto(`${control}/`)
  await page.getByRole('heading', { name: 'Realms', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'second' }).waitFor()
  await shot(page, 'home')

  await page.goto(`${control}/realms/default`)
  await page.locator('#live').getByText('live', { exact: true }).waitFor()
  const exchanges = page.locator('details.exchange')
  const before = await exchanges.count()
  // What is asked while the page is open arrives in its journal without a reload.
  await token({ grant_type: 'authorization_code', client_id: 'web', code: 'live' })
  await exchanges.nth(before).waitFor({ state: 'attached' })
  assert.equal(await exchanges.count(), before + 1)
  assert.notEqual(await page.title(), 'broken', 'a hostile parameter ran as script')
  assert.equal(await page.locator('#clock').textContent(), '2030-01-31T12:00:00Z')
  assert.match(await page.locator('body').textContent(), /fault code-reusable\.accept/)

  // A flow: from the form, over login and consent, back to the page, where its code is redeemed.
  const start = () => page.locator('form:has(select[name=pkce]) button').click()
  await start()
  await page.waitForFunction(() => document.title === 'Sign in')
  await shot(page, 'login')
  await page.locator('button[value=bob]').click()
  await page.waitForFunction(() => document.title === 'Consent')
  await page.locator('button[value=approve]').click()
  await page.getByText('The state is that of a flow that was started here').waitFor()
  await shot(page, 'callback')
  await page.locator('button.main').click()
  await page.getByRole('heading', { name: 'Tokens', level: 1 }).waitFor()
  await shot(page, 'tokens')

  // An error that a person chooses.
  await page.goto(`${control}/realms/second`)
  await page.locator('#live').getByText('live', { exact: true }).waitFor()
  await start()
  await page.locator('button[name=inject][value=temporarily_unavailable]').click()
  await page.getByText('temporarily_unavailable').first().waitFor()

  await page.goto(`${control}/realms/default`)
  await exchanges.nth(4).waitFor()
  await exchanges.filter({ hasText: '/default/token' }).first().locator('summary').first().click()
  await shot(page, 'realm')
  await page.emulateMedia({ colorScheme: 'dark' })
  await shot(page, 'realm-dark')
  await page.setViewportSize({ width: 420, height: 900 })
  await shot(page, 'realm-narrow')
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= 420), 'the page is wider than a narrow screen')
  assert.deepEqual(complaints, [], 'the browser complained')

  // Without script the page is whole, only not live.
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
  await plain.goto(`${control}/realms/default`)
  assert(await plain.locator('details.exchange').count() > 4)
  await plain.getByText('reload to see more').waitFor()
}
