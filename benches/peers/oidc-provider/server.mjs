// oidc-provider with JWT access tokens, and logins that nobody has to type: what a test would configure. The package is that of the
// target of the same name.

import { generateKeyPairSync, randomBytes } from 'node:crypto';

import { Provider } from '../../../fixtures/targets/oidc-provider/node_modules/oidc-provider/lib/index.js';

const PORT = Number(process.env.PORT);
const ALGORITHM = process.env.ALGORITHM ?? 'RS256';
const RESOURCE = 'https://api.example';

function key(alg) {
  const { privateKey } =
    alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg };
}

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: 'web',
      client_secret: 'web-secret-0f3b6c1d9a',
      redirect_uris: ['https://client.example/callback'],
      grant_types: ['authorization_code'],
    },
    {
      client_id: 'service',
      client_secret: 'service-secret-c41d07be92',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
  ],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  claims: { openid: ['sub'], profile: ['name'] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: { keys: [key('RS256'), key('ES256')] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api:read',
        audience: RESOURCE,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: ALGORITHM } },
      }),
    },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    grant.addResourceScope(RESOURCE, 'api:read');
    await grant.save();
    return grant;
  },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) {
    await next();
    return;
  }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login: { accountId: 'alice' } }));
});

provider.listen(PORT, '127.0.0.1');
