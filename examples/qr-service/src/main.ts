import { serve } from '@hono/node-server';
import { app } from './app.ts';

const port = Number(process.env['PORT'] ?? 8080);
const hostname = process.env['HOST'] ?? '0.0.0.0';

const server = serve({ fetch: app.fetch, port, hostname }, (address) => {
  console.log(`listening on ${address.address}:${address.port} as user ${process.getuid?.()}, Node ${process.version}`);
});

// The first process of a container gets no default handlers: without these, stopping it would take ten seconds.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    server.close();
  });
}
