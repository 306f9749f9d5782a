import { Hono } from 'hono';
import { renderSVG } from 'uqr';

/** A QR code of the largest size holds 2953 bytes at the lowest error correction; ours stays readable from paper. */
const MAX_TEXT = 500;

/** The service's routes, without a socket: tests and the self-check call `app.request`. */
export const app: Hono = new Hono();

app.get('/', (context) => context.text('GET /qr?text=… answers an SVG picture of the QR code.\n'));

app.get('/healthz', (context) => context.json({ status: 'ok' }));

app.get('/qr', (context) => {
  const text = context.req.query('text') ?? '';
  if (text === '') return context.json({ error: 'text is missing' }, 400);
  if (text.length > MAX_TEXT) return context.json({ error: `text has more than ${MAX_TEXT} characters` }, 400);
  return context.body(renderSVG(text), 200, { 'content-type': 'image/svg+xml' });
});
