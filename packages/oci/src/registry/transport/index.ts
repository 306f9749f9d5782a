export { type AddressKind, addressKind, isLoopbackHost, mayName } from './address-kind.ts';
export type { AddressClassifier } from './addresses.ts';
export type { HttpRequest, HttpResponse, HttpTransport } from './http.ts';
export type { Timeouts } from './timeouts.ts';
export type { TlsChoice, TlsSettings } from './tls-settings.ts';
export { createTransport, type TransportOptions } from './transport.ts';
