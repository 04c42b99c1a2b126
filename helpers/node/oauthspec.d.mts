// The types of oauthspec.mjs. TypeScript takes them from this file where it stands beside that one.

import type { Agent } from 'node:http'

/** The context of a test: that of node:test, or of vitest. */
export type TestContext =
  | { after(callback: () => Promise<void>): unknown }
  | { onTestFinished(callback: () => Promise<void>): unknown }

/** How a server is started, or found. */
export interface Options {
  /** It serves by TLS, with a certificate that is made for the occasion. */
  tls?: boolean
  /** Further arguments of its command line. */
  args?: string[]
  /** Where a mock runs already; without it the variable OAUTHSPEC_URL. Nothing is started then. */
  url?: string
  /** The authority that the certificate of that mock is from (PEM). */
  ca?: string
  /** What its control API asks for; without it the variable OAUTHSPEC_TOKEN. */
  token?: string
}

/** An object of JSON: what the control API takes and gives. */
export type Json = Record<string, any>

/** Which exchanges are meant: `endpoint`, `method`, `grant`, `client`, `user`, `form`, `query`, `header`, `status`, `error` and others. */
export type Match = Json

/** How often something happens. */
export type Times = number | { gte?: number; lte?: number }

export interface Client {
  client_id: string
  client_secret?: string
  token_endpoint_auth_method: string
  redirect_uris: string[]
  grant_types: string[]
  scopes: string[]
  kind: string
  may_introspect: boolean
  require_pushed_authorization_requests: boolean
  metadata?: Json
}

/** A client that is to be registered. */
export type NewClient = Pick<Client, 'client_id'> & Partial<Client>

export interface User {
  username: string
  password?: string
  claims?: Json
}

/** How a realm is made; what is not said is as the server was started with. */
export interface Spec {
  name?: string
  profile?: string
  variants?: string[]
  faults?: string[]
  patches?: Json
  scripts?: Json
  clients?: NewClient[]
  users?: User[]
  seed?: number
  keys?: 'shared' | 'fresh'
  clock?: { time?: string; advance?: string; frozen?: boolean }
  /** No login and no consent page is shown. */
  autoLogin?: boolean
}

/** A realm as it was when it was made. */
export interface View {
  name: string
  issuer: string
  control: string
  clients: Client[]
  users: User[]
  policy: { profile?: string; variants: string[]; faults: string[]; patches: string[]; scripts: string[] }
  [member: string]: any
}

export interface Request {
  method: string
  url: string
  headers: [string, string][]
  body?: string
  body_base64?: string
  parameters: Json
}

export interface Response {
  status: number
  headers: [string, string][]
  body?: string
  body_base64?: string
}

/** An entry of the journal. */
export interface Exchange {
  index: number
  at: string
  endpoint: string
  client?: string
  user?: string
  grant?: string
  auth?: string
  cause?: string
  applied: string[]
  rules: { patch: string; rule: number; does: string }[]
  notes: string[]
  request: Request
  response: Response
  original?: Response
  tokens: { place: string; header: Json; claims: Json }[]
}

/** A token or code that was made. */
export interface Token {
  kind: string
  token: string
  header?: Json
  claims?: Json
  expires: string
  known: boolean
}

export interface Key {
  kid: string
  alg: string
  signs: boolean
  published: boolean
  jwk: Json
}

export function oauthspec(t: TestContext, spec?: Spec, options?: Options): Promise<Realm>

export class Server {
  private constructor()
  static start(options?: Options): Promise<Server>
  readonly issuer: string
  readonly control: string
  readonly ca: string | undefined
  readonly caFile: string | undefined
  readonly agent: Agent
  realm(spec?: Spec): Promise<Realm>
  request(method: string, path: string, body?: Json): Promise<any>
  redirect(url: string | URL, cookies?: Map<string, string>): Promise<URL>
  close(): Promise<void>
}

export class Realm {
  private constructor()
  readonly server: Server
  readonly view: View
  readonly name: string
  readonly issuer: string
  readonly control: string
  client(id: string): Client
  addClient(registration: NewClient): Promise<Client>
  addUser(user: User): Promise<User>
  addFault(fault: string): Promise<void>
  removeFault(fault: string): Promise<void>
  addScripts(scripts: Json): Promise<void>
  rotateKeys(how?: { alg?: 'ES256' | 'RS256'; publish?: boolean; keep_old?: boolean }): Promise<Key[]>
  advance(duration: string): Promise<void>
  freeze(): Promise<void>
  mint(kind: 'access_token' | 'refresh_token' | 'id_token' | 'code', client: string, more?: Json): Promise<Token>
  authorize(url: string | URL): Promise<URL>
  journal(match?: Match, since?: number): Promise<Exchange[]>
  wait(match?: Match, options?: { timeout?: string; since?: number }): Promise<Exchange>
  expect(match: Match, times?: Times, name?: string): Promise<void>
  expectInOrder(...matches: Match[]): Promise<void>
  verify(): Promise<void>
  delete(): Promise<void>
  close(): Promise<void>
  request(method: string, path: string, body?: Json): Promise<any>
}
