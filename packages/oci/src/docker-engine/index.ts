export { dockerProxyArgs } from './docker-proxies.ts';
export {
  type EngineAddress,
  type EngineEnvironment,
  findEngine,
  parseEngineHost,
} from './engine-address.ts';
export { type EngineClient, type EngineResponse, engineClient } from './engine-client.ts';
export { type EngineEvent, engineEvents } from './engine-events.ts';
export type { EngineRequest } from './engine-exchange.ts';
export { engineDestination, loadFromEngine } from './engine-images.ts';
export type { EngineTls } from './engine-tls.ts';
