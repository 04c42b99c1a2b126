// oauth2-mock-server with one key, for the algorithm that is measured.

import { OAuth2Server } from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate(process.env.ALGORITHM ?? 'RS256');
await server.start(Number(process.env.PORT), '127.0.0.1');
