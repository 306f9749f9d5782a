export type { ApiAnswer } from './answer.ts';
export { prefectRegistrar, type RegistrarOptions, registrationJson } from './registrar.ts';
export type { Registration } from './registration.ts';
export type { RegistrationOptions } from './registration-body.ts';
export { type ApiRequest, type PrefectApi, type PrefectApiOptions, prefectApi } from './request.ts';
export { type PrefectServer, prefectServerFrom } from './server.ts';
