import { parentPort } from 'node:worker_threads';
import type { SandboxRequest } from './messages.ts';
import { SandboxService } from './sandbox-service.ts';

/** The sandbox thread: a service of its own, so that the rest of the program does not notice the other namespace. */
if (parentPort !== null) {
  const port = parentPort;
  const service = new SandboxService((reply) => port.postMessage(reply));
  service.warmUp();
  port.on('message', (request: SandboxRequest) => service.handle(request));
}
