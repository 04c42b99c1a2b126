// A mock authorization server for each test, for node:test and vitest.
//
// Copy this file beside your tests, for TypeScript with `oauthspec.d.mts`. It needs the program `oauthspec` in PATH or in the environment
// variable OAUTHSPEC_BIN, Node 18 or later, and no package.
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
// One server runs for the whole process, or one for each kind that is asked for: `oauthspec(t, {}, { tls: true })`. Each test has a realm
// of its own, which is gone when the test is over. What was expected with `realm.expect` is verified then.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

/** What `autoLogin` does, as a patch of the realm. */
const autoLoginPatch = { patch: [{ set: { 'pages.login': false, 'pages.consent': 'never' } }] }

const shared = new Map()

/**
 * Makes a realm for a test, and cleans up when the test is over. `spec`: what `Server.realm` takes; `options`: what `Server.start` takes.
 * Tests that ask for the same options share a server.
 */
export async function oauthspec(t, spec = {}, options = {}) {
  const whenOver = t.onTestFinished ?? t.after
  if (!whenOver) {
    throw new Error('oauthspec(t) takes the context of a test; before and beforeAll use Server.start() and server.realm(), and close them')
  }
  const kind = JSON.stringify(options)
  if (!shared.has(kind)) shared.set(kind, Server.start(options))
  const realm = await (await shared.get(kind)).realm(spec)
  whenOver.call(t, () => realm.close())
  return realm
}

/** A running `oauthspec mock`. */
export class Server {
  #process
  #token
  #agent
  #folder
  #removeFolder = () => rmSync(this.#folder, { recursive: true, force: true })

  /** Starts the program, and waits until it is ready. It ends with this process.
   *
   * - `tls`: it serves by TLS, with a certificate that is made for the occasion.
   * - `args`: further arguments of its command line.
   * - `url` (or the variable OAUTHSPEC_URL): where a mock runs already. Nothing is started or stopped then, and `tls` and `args` do not
   *   count. `ca`: the authority that its certificate is from (PEM).
   * - `token` (OAUTHSPEC_TOKEN): what its control API asks for, also where the program is started.
   */
  static async start({ tls = false, args = [], url, ca, token } = {}) {
    const server = new Server()
    server.#token = token ?? process.env.OAUTHSPEC_TOKEN
    const running = url ?? process.env.OAUTHSPEC_URL
    /** With TLS, the authority that clients have to trust (PEM). */
    server.ca = ca
    /** The URL of the control API. */
    server.control = running
      ? running.replace(/\/?(_oauthspec\/?)?$/, '/_oauthspec')
      : await (tls ? server.#startTls(args) : server.#start(args))
    const { realms } = await server.request('GET', 'realms')
    /** The issuer of the realm that is there from the start. */
    server.issuer = realms[0]?.issuer
    return server
  }

  /** An agent for `node:http`, or with TLS for `node:https`, which trusts that authority. */
  get agent() {
    this.#agent ??= this.control.startsWith('https:') ? new https.Agent({ ca: this.ca }) : new http.Agent()
    return this.#agent
  }

  async #startTls(args) {
    const folder = mkdtempSync(join(tmpdir(), 'oauthspec-'))
    try {
      const caOut = join(folder, 'ca.pem')
      const control = await this.#start([...args, '--tls', '--tls-ca-out', caOut])
      this.ca = readFileSync(caOut, 'utf8')
      return control
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** With TLS, a file with that authority. It is written when it is first asked for: a worker that is killed leaves it behind. */
  get caFile() {
    if (!this.ca) return undefined
    if (!this.#folder) {
      this.#folder = mkdtempSync(join(tmpdir(), 'oauthspec-'))
      writeFileSync(join(this.#folder, 'ca.pem'), this.ca)
      process.once('exit', this.#removeFolder)
    }
    return join(this.#folder, 'ca.pem')
  }

  async #start(args) {
    const program = process.env.OAUTHSPEC_BIN ?? 'oauthspec'
    // Answers that are still delayed when the tests are over hold nobody up. An option wins over this.
    const env = { OAUTHSPEC_MOCK_GRACE: '1s', ...process.env }
    if (this.#token) env.OAUTHSPEC_MOCK_CONTROL_TOKEN = this.#token
    const child = spawn(program, ['mock', '--format', 'json', '--until-stdin-ends', ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
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
    this.#process = child
    return JSON.parse(ready).control.replace(/\/$/, '')
  }

  /**
   * Makes a realm: `name`, `profile`, `variants`, `faults`, `patches`, `scripts`, `clients`, `users`, `seed`, `keys`, `clock`.
   *
   * - `autoLogin`: no login and no consent page is shown. Who logs in is the user whom `login_hint` names, else the first of the realm.
   */
  async realm({ autoLogin = false, ...spec } = {}) {
    if (autoLogin) spec.patches = { 'auto-login': autoLoginPatch, ...spec.patches }
    return new Realm(this, await this.request('POST', 'realms', spec))
  }

  /** A control request, for what has no method here: `request('GET', 'catalog')`. */
  async request(method, path, body) {
    const url = `${this.control}/${path}`
    const headers = { 'Content-Type': 'application/json', ...(this.#token && { Authorization: `Bearer ${this.#token}` }) }
    const response = await this.#send(url, { method, headers }, body && JSON.stringify(body))
    const answer = await text(response)
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${problem(answer)}`)
    return answer ? JSON.parse(answer) : undefined
  }

  /** Where a GET request is redirected to. `cookies`: those that the browser has, to which it adds. */
  async redirect(url, cookies = new Map()) {
    const headers = cookies.size ? { Cookie: [...cookies].map((pair) => pair.join('=')).join('; ') } : {}
    const response = await this.#send(url, { headers })
    response.resume()
    for (const cookie of response.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]*)=([^;]*)/.exec(cookie)
      cookies.set(name, value)
    }
    const { location } = response.headers
    if (location) return new URL(location, url)
    throw new Error(`${url} was answered with ${response.statusCode} and no redirect; realms with \`autoLogin\` show no login page`)
  }

  async #send(url, options, body) {
    const { request } = String(url).startsWith('https:') ? https : http
    const asked = request(url, { ...options, agent: this.agent })
    asked.end(body)
    const [response] = await once(asked, 'response')
    return response
  }

  /** Ends the program, which also ends with this process. It is killed where nothing else helps. */
  async close() {
    process.off('exit', this.#removeFolder)
    if (this.#folder) this.#removeFolder()
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.ref()
    child.stdin.end()
    const killers = ['SIGTERM', 'SIGKILL'].map((signal, tried) => setTimeout(() => child.kill(signal), 5000 * (tried + 1)))
    await ended
    killers.forEach(clearTimeout)
  }
}

/** An authorization server of its own: issuer, clients, users, keys, clock and journal. */
export class Realm {
  #path

  constructor(server, view) {
    /** The server that it belongs to. */
    this.server = server
    /** As it was when it was made: clients, users, policy. */
    this.view = view
    this.name = view.name
    /** The issuer identifier; metadata are where RFC 8414 and OpenID Connect Discovery look for them. */
    this.issuer = view.issuer
    this.#path = `realms/${view.name}`
    /** The URL of its control API. */
    this.control = `${server.control}/${this.#path}`
  }

  /** The client of that id as it is registered: `client_secret`, `redirect_uris`, `grant_types`, `scopes`. */
  client(id) {
    const { clients } = this.view
    const found = clients.find((client) => client.client_id === id)
    if (!found) throw new Error(`the realm has no client '${id}'; it has ${clients.map((client) => client.client_id).join(', ') || 'none'}`)
    return found
  }

  /** Adds a client, or replaces the one of that id: `client_id`, `client_secret`, `redirect_uris`, `grant_types`, `scopes`. */
  async addClient(registration) {
    const client = await this.request('PUT', 'clients', registration)
    this.view.clients = [...this.view.clients.filter((other) => other.client_id !== client.client_id), client]
    return client
  }

  /** Adds a user, or replaces the one of that name: `username`, `password`, `claims`. */
  addUser(user) {
    return this.request('PUT', 'users', user)
  }

  /** Switches a fault on. */
  async addFault(fault) {
    await this.request('PUT', `faults/${fault}`)
  }

  /** Switches a fault off. */
  async removeFault(fault) {
    await this.request('DELETE', `faults/${fault}`)
  }

  /** Adds scripts by their ids, over everything that is in force; that their rules apply is verified like what is expected. */
  async addScripts(scripts) {
    await this.request('POST', 'scripts', scripts)
  }

  /** Puts new keys in place of those that sign: `{ alg: 'ES256', publish: false, keep_old: false }`. */
  async rotateKeys(how = {}) {
    const { keys } = await this.request('POST', 'keys/rotate', how)
    return keys
  }

  /** Moves the clock of the realm forward: `'90s'`, `'1h 30m'`. */
  async advance(duration) {
    await this.request('POST', 'clock', { advance: duration })
  }

  /** Stops the clock of the realm. */
  async freeze() {
    await this.request('POST', 'clock', { frozen: true })
  }

  /**
   * Makes a token (`access_token`, `refresh_token`, `id_token`, `code`), right or broken: `{ broken: ['expired'], user, scope, claims }`.
   */
  mint(kind, client, more = {}) {
    return this.request('POST', 'tokens', { kind, client, ...more })
  }

  /**
   * Runs an authorization request in a realm with `autoLogin`, and gives the URL that the client is called back at.
   *
   * The answer is in its query, a code or an error. The redirect to the client is not followed.
   */
  async authorize(url) {
    const own = [this.issuer, this.view.control, this.control].map((ofMock) => new URL(ofMock).origin)
    const cookies = new Map()
    for (let redirects = 0; redirects < 10; redirects++) {
      url = await this.server.redirect(url, cookies)
      if (!own.includes(url.origin)) return url
    }
    throw new Error(`${url}: too many redirects`)
  }

  /** The exchanges that match, the earliest first: `journal({ endpoint: 'token', grant: 'refresh_token' })`. */
  async journal(match = {}, since = 0) {
    const { entries } = await this.request('POST', 'journal/search', { match, since })
    return entries
  }

  /** Waits for an exchange that matches: with `since` from that index on, else from now on. */
  async wait(match = {}, { timeout = '10s', since } = {}) {
    const { entry } = await this.request('POST', 'journal/wait', { match, timeout, since })
    return entry
  }

  /** Expects exchanges, past and future ones: `times` of them (`2`, `{ gte: 1, lte: 3 }`), without it at least one. */
  async expect(match, times, name) {
    await this.request('POST', 'expectations', { expect: [{ when: match, times, name }] })
  }

  /** Expects at least one exchange for each of these, one after the other: `{ endpoint: 'authorize' }, { endpoint: 'token' }`. */
  async expectInOrder(...matches) {
    await this.request('POST', 'expectations', { expect: matches.map((when) => ({ when })), in_order: true })
  }

  /** Fails if something that was expected did not happen, and tells what came nearest. */
  async verify() {
    const { met, report } = await this.request('GET', 'verification')
    if (!met) throw new Error(report)
  }

  /** Removes the realm with all that belongs to it. */
  async delete() {
    await this.server.request('DELETE', this.#path)
  }

  /** A control request below this realm, for what has no method here: `request('PUT', 'variants/opaque-access-tokens')`. */
  request(method, path, body) {
    return this.server.request(method, `${this.#path}/${path}`, body)
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
