// A mock authorization server for each test, for node:test and vitest.
//
// Copy this file beside your tests. It needs the program `oauthspec` in PATH or in the environment variable OAUTHSPEC_BIN, Node 18 or
// later, and no package.
//
//     test('logs in', async (t) => {
//       const realm = await oauthspec(t)                                      // node:test, and vitest with its test context
//       const { client_id, client_secret } = realm.client('web')
//       app.configure(realm.issuer, client_id, client_secret)
//     })
//
//     test('refuses unsigned tokens', async (t) => {
//       const realm = await oauthspec(t, { faults: ['openid-alg-none'] })
//     })
//
// One server runs for the whole process; each test has a realm of its own, which is gone when the test is over. What was expected with
// `realm.expect` is verified then.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

let shared

/** Makes a realm for a test, and cleans up when the test is over. `spec`: what `Server.realm` takes. */
export async function oauthspec(t, spec = {}) {
  shared ??= Server.start()
  const realm = await (await shared).realm(spec)
  const whenOver = t.onTestFinished ?? t.after
  whenOver.call(t, () => realm.close())
  return realm
}

/** A running `oauthspec mock`. */
export class Server {
  #process

  constructor(process, { issuer, control }) {
    this.#process = process
    /** The issuer of the realm that is there from the start. */
    this.issuer = issuer
    /** The URL of the control API. */
    this.control = control.replace(/\/$/, '')
  }

  /** Starts the program, and waits until it is ready. It ends with this process. */
  static async start(...options) {
    const program = process.env.OAUTHSPEC_BIN ?? 'oauthspec'
    const child = spawn(program, ['mock', '--format', 'json', '--until-stdin-ends', ...options], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Answers that are still delayed when the tests are over hold nobody up. An option wins over this.
      env: { OAUTHSPEC_MOCK_GRACE: '1s', ...process.env },
      // Ctrl-C reaches the tests alone (a process group of its own): what they do at their end still needs the mock.
      detached: true,
      windowsHide: true,
    })
    const ready = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (status) => reject(new Error(`${program} mock ended with status ${status}`)))
      createInterface({ input: child.stdout }).once('line', resolve)
    })
    child.removeAllListeners('exit')
    // It keeps nobody waiting, and ends when the pipe to it does.
    for (const handle of [child, child.stdin, child.stdout]) handle.unref()
    return new Server(child, JSON.parse(ready))
  }

  /**
   * Makes a realm: `name`, `profile`, `variants`, `faults`, `patches`, `scripts`, `clients`, `users`, `seed`, `keys`, `clock`.
   */
  async realm(spec = {}) {
    return new Realm(await request('POST', `${this.control}/realms`, spec))
  }

  /** Ends the program, which also ends with this process. It is killed where nothing else helps. */
  async close() {
    const child = this.#process
    const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit')
    child.ref()
    child.stdin.end()
    const killers = ['SIGTERM', 'SIGKILL'].map((signal, tried) => setTimeout(() => child.kill(signal), 5000 * (tried + 1)))
    await ended
    killers.forEach(clearTimeout)
  }
}

/** An authorization server of its own: issuer, clients, users, keys, clock and journal. */
export class Realm {
  constructor(view) {
    /** As it was when it was made: clients, users, policy. */
    this.view = view
    this.name = view.name
    /** The issuer identifier; metadata are where RFC 8414 and OpenID Connect Discovery look for them. */
    this.issuer = view.issuer
    this.control = view.control
  }

  /** The client of that id as it is registered: `client_secret`, `redirect_uris`, `grant_types`, `scopes`. */
  client(id) {
    return this.view.clients.find((client) => client.client_id === id)
  }

  /** Moves the clock of the realm forward: `'90s'`, `'1h 30m'`. */
  advance(duration) {
    return request('POST', `${this.control}/clock`, { advance: duration })
  }

  /** Stops the clock of the realm. */
  freeze() {
    return request('POST', `${this.control}/clock`, { frozen: true })
  }

  /**
   * Makes a token (`access_token`, `refresh_token`, `id_token`, `code`), right or broken: `{ broken: ['expired'], user, scope, claims }`.
   */
  mint(kind, client, more = {}) {
    return request('POST', `${this.control}/tokens`, { kind, client, ...more })
  }

  /** The exchanges that match, the earliest first: `journal({ endpoint: 'token', grant: 'refresh_token' })`. */
  async journal(match = {}, since = 0) {
    const { entries } = await request('POST', `${this.control}/journal/search`, { match, since })
    return entries
  }

  /** Waits for an exchange that matches: with `since` from that index on, else from now on. */
  async wait(match = {}, { timeout = '10s', since } = {}) {
    const { entry } = await request('POST', `${this.control}/journal/wait`, { match, timeout, since })
    return entry
  }

  /** Expects exchanges, past and future ones: `times` of them (`2`, `{ lte: 1 }`), without it at least one. */
  expect(match, times, name) {
    return request('POST', `${this.control}/expectations`, { expect: [{ when: match, times, name }] })
  }

  /** Fails if something that was expected did not happen, and tells what came nearest. */
  async verify() {
    const { met, report } = await request('GET', `${this.control}/verification`)
    if (!met) throw new Error(report)
  }

  /** Removes the realm with all that belongs to it. */
  async delete() {
    await request('DELETE', this.control)
  }

  /** Verifies, and removes the realm. */
  async close() {
    try {
      await this.verify()
    } finally {
      await this.delete()
    }
  }
}

async function request(method, url, body) {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${problem(text)}`)
  return text ? JSON.parse(text) : undefined
}

/** A problem document (RFC 9457) in words. */
function problem(text) {
  try {
    const { errors = [], detail } = JSON.parse(text)
    const flaws = errors.map((flaw) => [flaw.pointer ?? flaw.parameter, flaw.detail, flaw.help].filter(Boolean).join(' '))
    return flaws.join('; ') || detail
  } catch {
    return text
  }
}
