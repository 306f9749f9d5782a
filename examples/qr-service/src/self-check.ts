// A RUN step of the image calls this: an image that cannot answer is not built.
import { app } from './app.ts';

const response = await app.request('/qr?text=boxwright');
const body = await response.text();
if (response.status !== 200 || !body.startsWith('<svg')) {
  console.error(`GET /qr answered ${response.status}: ${body.slice(0, 200)}`);
  process.exit(1);
}
console.log(`self-check: an SVG of ${body.length} characters`);
