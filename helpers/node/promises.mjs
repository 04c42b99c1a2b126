// What the helper promises, on a running mock, for any test runner.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import https from 'node:https'
import { json } from 'node:stream/consumers'
import { oauthspec, Realm, Server } from './oauthspec.mjs'

const service = {
  client_id: 'app',
  client_secret: 'app-secret',
  token_endpoint_auth_method: 'client_secret_post',
  grant_types: ['client_credentials'],
  scopes: ['api:read'],
}

// Status and JSON of one request, as an application sends it.
async function ask(url, { form, token, basic } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : basic ? { Authorization: `Basic ${btoa(basic.join(':'))}` } : {}
  const response = await fetch(url, { method: form ? 'POST' : 'GET', headers, body: form && new URLSearchParams(form) })
  return { status: response.status, body: JSON.parse((await response.text()) || 'null') }
}

function tokenFrom(issuer) {
  return ask(`${issuer}/token`, { form: { grant_type: 'client_credentials', client_id: 'app', client_secret: 'app-secret' } })
}

const underCtrlC = `
  import { Server } from '${new URL('oauthspec.mjs', import.meta.url)}'
  const server = await Server.start()
  process.on('SIGINT', async () => {
    await (await server.realm()).delete()
    console.log('alive')
  })
  setInterval(() => {}, 60_000)
  console.log('ready')
`

function authorizationUrl(realm, more = {}) {
  const { client_id, redirect_uris } = realm.client('web')
  const challenge = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' }
  const request = { response_type: 'code', client_id, redirect_uri: redirect_uris[0], state: 's1', ...challenge, ...more }
  return `${realm.issuer}/authorize?${new URLSearchParams(request)}`
}

const busy = { patch: [{ when: { endpoint: 'token', first: 1 }, respond: { status: 503, json: {} } }] }

export const promises = {
  'a realm issues tokens and keeps a journal': async (t) => {
    const realm = await oauthspec(t, { clients: [service] })
    await realm.expect({ endpoint: 'token', grant: 'client_credentials' }, 1)
    const { status, body } = await tokenFrom(realm.issuer)
    assert.deepEqual([status, body.token_type], [200, 'Bearer'])
    const [exchange, ...more] = await realm.journal({ endpoint: 'token' })
    assert.deepEqual([exchange.client, more.length], ['app', 0])
    assert.equal((await realm.wait({ endpoint: 'token' }, { since: 0 })).index, exchange.index)
  },

  'auto login leads to the callback': async (t) => {
    const realm = await oauthspec(t, { autoLogin: true, users: [{ username: 'carol' }, { username: 'dave' }] })
    const callback = await realm.authorize(authorizationUrl(realm))
    assert.equal(callback.origin + callback.pathname, 'https://client.example/callback')
    assert.ok(callback.searchParams.get('code'))
    assert.equal(callback.searchParams.get('state'), 's1')
    assert.deepEqual((await realm.journal({ endpoint: 'authorize' })).map(({ user }) => user), ['carol'])
    const refused = await realm.authorize(authorizationUrl(realm, { scope: 'no-such-scope' }))
    assert.equal(refused.searchParams.get('error'), 'invalid_scope')
  },

  'without auto login there is a page': async (t) => {
    const realm = await oauthspec(t)
    await assert.rejects(realm.authorize(authorizationUrl(realm)), /login.* with 200 and .* `autoLogin`/)
  },

  'the realm tells its clients': async (t) => {
    const realm = await oauthspec(t, { faults: ['openid-alg-none'] })
    const { client_id, client_secret } = realm.client('web')
    const { status } = await ask(`${realm.issuer}/token`, { form: { grant_type: 'client_credentials' }, basic: [client_id, client_secret] })
    assert.equal(status, 200)
  },

  'each test has a realm of its own': async (t) => {
    const [one, other] = await Promise.all([oauthspec(t), oauthspec(t)])
    assert.notEqual(one.issuer, other.issuer)
    assert.deepEqual(await one.journal(), [])
  },

  'a script makes it misbehave at a moment': async (t) => {
    const realm = await oauthspec(t, { scripts: { busy } })
    assert.equal((await tokenFrom(realm.issuer)).status, 503)
    assert.equal((await tokenFrom(realm.issuer)).status, 401)
  },

  'a fault breaks one rule': async (t) => {
    const realm = await oauthspec(t, { faults: ['bearer-never-expires'] })
    const { token } = await realm.mint('access_token', 'web', { user: 'alice' })
    await realm.advance('2h')
    assert.equal((await ask(`${realm.issuer}/resource`, { token })).status, 200)
  },

  'tokens are made and expire': async (t) => {
    const realm = await oauthspec(t)
    const { token } = await realm.mint('access_token', 'web', { user: 'alice', scope: 'openid' })
    assert.deepEqual(await ask(`${realm.issuer}/userinfo`, { token }), { status: 200, body: { sub: 'alice' } })
    await realm.advance('2h')
    assert.equal((await ask(`${realm.issuer}/userinfo`, { token })).status, 401)
  },

  'broken tokens are made': async (t) => {
    const { claims } = await (await oauthspec(t)).mint('id_token', 'web', { user: 'alice', broken: ['expired'] })
    assert.ok(claims.exp < Date.now() / 1000)
  },

  'what was expected and did not happen fails the test': async () => {
    const server = await Server.start()
    const realm = await server.realm()
    await realm.expect({ endpoint: 'token', grant: 'refresh_token' })
    await tokenFrom(realm.issuer)
    await assert.rejects(realm.close(), /refresh_token/)
    await server.close()
  },

  'it survives ctrl-c and ends with the process of the tests': async () => {
    const tests = spawn(process.execPath, ['--input-type=module', '--eval', underCtrlC], { detached: true })
    try {
      assert.equal(String(await once(tests.stdout, 'data')), 'ready\n')
      process.kill(-tests.pid, 'SIGINT')
      assert.equal(String(await once(tests.stdout, 'data')), 'alive\n')
    } finally {
      tests.kill('SIGKILL')
    }
    // The mock shares the standard error, which ends when both are gone.
    await once(tests.stderr.resume(), 'end')
  },

  'it does not wait for delayed answers': async () => {
    const server = await Server.start()
    const slow = { patch: [{ when: { endpoint: 'token' }, rewrite: { bytes: { delay: '1m' } } }] }
    const realm = await server.realm({ scripts: { slow } })
    const answer = tokenFrom(realm.issuer)
    await realm.wait({ endpoint: 'token' }, { since: 0 })
    const began = Date.now()
    await server.close()
    assert.ok(Date.now() - began < 4000)
    // A server that is stopped sends what it delayed at once.
    assert.equal((await answer).status, 401)
  },

  'it serves by TLS': async (t) => {
    const options = { tls: true, args: ['--fault', 'openid-alg-none'] }
    const [{ issuer, server }, other] = await Promise.all([oauthspec(t, {}, options), oauthspec(t, {}, options)])
    assert.equal(server, other.server)
    assert.deepEqual(other.view.policy.faults, ['openid-alg-none'])
    const [response] = await once(https.get(`${issuer}/.well-known/openid-configuration`, { agent: server.agent }), 'response')
    assert.equal((await json(response)).issuer, issuer)
  },

  'what belonged to TLS is removed with the server': async () => {
    const server = await Server.start({ tls: true })
    assert.equal(readFileSync(server.caFile, 'utf8'), server.ca)
    await server.close()
    assert.ok(!existsSync(server.caFile))
  },

  'a mock that runs already is used and left alone': async () => {
    const token = 's3cret'
    const running = await Server.start({ tls: true, token })
    const url = new URL(running.control).origin
    const server = await Server.start({ url, token, ca: running.ca })
    const realm = await server.realm()
    assert.ok(realm.issuer.startsWith(url))
    await realm.close()
    await server.close()
    Object.assign(process.env, { OAUTHSPEC_URL: running.control, OAUTHSPEC_TOKEN: token })
    try {
      assert.equal((await Server.start({ ca: running.ca })).issuer, running.issuer)
    } finally {
      delete process.env.OAUTHSPEC_URL
      delete process.env.OAUTHSPEC_TOKEN
    }
    await assert.rejects(Server.start({ url, token: 'wrong', ca: running.ca }), /oken/)
    await running.close()
  },

  'what has no method is a control request': async (t) => {
    const realm = await oauthspec(t)
    assert.deepEqual((await realm.request('PUT', 'variants/opaque-access-tokens')).variants, ['opaque-access-tokens'])
    assert.ok((await realm.server.request('GET', 'catalog')).faults)
  },

  'a client that is not there is named': async (t) => {
    const realm = await oauthspec(t)
    assert.throws(() => realm.client('wep'), /'wep'; it has web, web2/)
  },

  'a realm is changed while it runs': async (t) => {
    const realm = await oauthspec(t)
    const added = await realm.addClient(service)
    assert.equal(realm.client('app'), added)
    assert.equal((await tokenFrom(realm.issuer)).status, 200)
    assert.equal((await realm.addUser({ username: 'carol' })).password, 'carol')
    await realm.addScripts({ busy })
    assert.equal((await tokenFrom(realm.issuer)).status, 503)
    const { token } = await realm.mint('access_token', 'web', { user: 'carol' })
    await realm.advance('2h')
    await realm.addFault('bearer-never-expires')
    assert.equal((await ask(`${realm.issuer}/resource`, { token })).status, 200)
    await realm.removeFault('bearer-never-expires')
    assert.equal((await ask(`${realm.issuer}/resource`, { token })).status, 401)
  },

  'keys are rotated': async (t) => {
    const realm = await oauthspec(t)
    const published = async () => (await ask(`${realm.issuer}/jwks`)).body.keys.map(({ kid }) => kid)
    const before = await published()
    await realm.rotateKeys({ keep_old: false })
    const after = await published()
    assert.ok(after.length > 0 && !after.some((kid) => before.includes(kid)))
  },

  'expectations have bounds and order': async (t) => {
    const realm = await oauthspec(t)
    await realm.expect({ endpoint: 'token' }, { gte: 1, lte: 2 })
    await realm.expectInOrder({ endpoint: 'token' }, { endpoint: 'jwks' })
    await tokenFrom(realm.issuer)
    await assert.rejects(realm.verify(), /jwks/)
    await ask(`${realm.issuer}/jwks`)
  },

  'what is no test is told so': async () => {
    // The context of `before` inside `describe`, and of `beforeAll`.
    await assert.rejects(oauthspec({ name: 'a suite' }), /Server\.start/)
  },

  'the types name all that there is': () => {
    const types = readFileSync(new URL('oauthspec.d.mts', import.meta.url), 'utf8')
    for (const { prototype } of [Server, Realm]) {
      for (const name of Object.getOwnPropertyNames(prototype)) assert.match(types, new RegExp(`^  (readonly |private )?${name}[(:]`, 'm'))
    }
  },

  'a refused request names the member': async (t) => {
    await assert.rejects(oauthspec(t, { faults: ['no-such-fault'] }), /faults\/0/)
  },
}
