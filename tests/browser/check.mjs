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
  await api('PUT', '/realms/second/users', { username: 'long'.repeat(1500), password: 'pw' })
  const flaky = { patch: [{ when: { endpoint: 'revoke', first: 1 }, respond: { status: 503 } }], optional: true }
  await api('POST', '/realms/default/scripts', { flaky })
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

  // The clock, a journal that is cleared and the end of the realm show themselves without a reload.
  await api('POST', '/realms/default/clock', { advance: '1h' })
  await page.locator('#clock').getByText('2030-01-31T13:00:00Z').waitFor()
  await api('DELETE', '/realms/default/journal')
  await exchanges.first().waitFor({ state: 'detached' })
  await page.getByText('Nothing is in the journal.').waitFor()
  await api('POST', '/realms', { name: 'short-lived' })
  const watching = await browser.newPage()
  await watching.goto(`${control}/realms/short-lived`)
  await watching.locator('#live').getByText('live', { exact: true }).waitFor()
  await api('DELETE', '/realms/short-lived')
  await watching.getByText('the realm is gone').waitFor()
  await watching.close()

  // A fault is found while its name is typed; its switch is where it was afterwards, and the keyboard with it.
  const focused = (page) => page.evaluate(() => document.activeElement.id)
  await page.locator('#faults > summary').click()
  await page.locator('#faults input[type=search]').pressSequentially('REUSABLE by')
  assert.equal(await page.locator('#faults tr:visible').count(), 1)
  await page.getByRole('button', { name: 'Switch on code-reusable-by-others', exact: true }).click()
  await page.waitForURL('**/realms/default?fault=REUSABLE+by#fault-code-reusable-by-others')
  await page.getByRole('button', { name: 'Switch off code-reusable-by-others', exact: true }).waitFor()
  assert.equal(await focused(page), 'fault-code-reusable-by-others')
  await page.locator('#faults input[type=search]').fill('')
  assert(await page.locator('#faults tr:visible').count() > 500)
  await api('DELETE', '/realms/default/faults/code-reusable-by-others')
  await page.locator('#advance-1h').click()
  await page.waitForURL('**#advance-1h')
  assert.equal(await focused(page), 'advance-1h')
  await page.getByRole('button', { name: 'Remove script flaky' }).click()
  await page.getByText('Script flaky').waitFor({ state: 'detached' })
  // The scope that is asked for is that of the client.
  await page.locator('select[name=client]').selectOption('code-only')
  assert.match(await page.locator('input[name=scope]').getAttribute('placeholder'), /^openid /)
  await page.goto(`${control}/realms/default`)

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
  await page.setViewportSize({ width: 360, height: 900 })
  const fits = async (name) => {
    await shot(page, name)
    assert(await page.evaluate(() => document.documentElement.scrollWidth <= 360), `${name} is wider than a narrow screen`)
    const blocks = page.locator('pre:visible')
    for (let index = 0; index < await blocks.count(); index += 1) {
      const { x, width } = await blocks.nth(index).boundingBox()
      assert(x >= 0 && x + width <= 360, `a block of ${name} stands out`)
    }
  }
  await fits('realm-narrow')
  await page.goto(`${control}/`)
  await fits('home-narrow')
  await page.goto(`${control}/realms/second`)
  await page.getByText('Clients and users').click()
  await fits('long-name-narrow')
  await start()
  await page.waitForFunction(() => document.title === 'Sign in')
  await fits('login-narrow-dark')
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(21, 23, 26)', 'the login page is not dark')
  assert.deepEqual(complaints, [], 'the browser complained')

  // Without script the page is whole, only not live.
  const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
  await plain.goto(`${control}/realms/default`)
  assert(await plain.locator('details.exchange').count() > 4)
  await plain.getByText('reload to see more').waitFor()
  await plain.locator('#faults > summary').click()
  await plain.locator('#faults input[type=search]').fill('code-reusable')
  await plain.keyboard.press('Enter')
  await plain.waitForURL('**/realms/default?fault=code-reusable#faults')
  await plain.getByRole('button', { name: 'Switch on code-reusable-by-others', exact: true }).click()
  await plain.getByRole('button', { name: 'Switch off code-reusable-by-others', exact: true }).waitFor()
  assert.equal(await plain.locator(':focus').getAttribute('id'), 'fault-code-reusable-by-others')
}
