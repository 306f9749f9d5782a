/** A registry, faults and certificates for tests. Shares no code with the product, so that it shares none of its faults. */
export type { TestAuth } from './access-control.ts';
export { type CertificateOptions, type Certified, TestAuthority } from './certificates.ts';
export { type ExampleImage, type ExampleImageOptions, putExampleImage, putExampleIndex } from './example-images.ts';
export type { FaultAction } from './fault-actions.ts';
export { type FaultProxy, type FaultProxyOptions, startFaultProxy } from './fault-proxy.ts';
export type { Fault, RequestFilter, RequestKind } from './faults.ts';
export { findProblems } from './find-problems.ts';
export type { TestRepository } from './registry-content.ts';
export type { LoggedRequest } from './request-log.ts';
export type { RegistryBehaviour } from './route.ts';
export { type RunningTokenService, startTokenService } from './start-token-service.ts';
export { digestOfBlob, generatedBlob, memoryBlob, type StoredBlob, sha256 } from './stored-blob.ts';
export { startTestRegistry, type TestRegistry, type TestRegistryOptions } from './test-registry.ts';
export type { TlsOptions } from './test-server.ts';
export { tarOf } from './tiny-tar.ts';
export { TokenService, type TokenServiceOptions, type Users } from './token-service.ts';
