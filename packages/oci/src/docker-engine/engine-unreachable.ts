import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { errorCode } from '../registry/transport/connection-errors.ts';
import { type TlsFailure, tlsFailure } from '../registry/transport/tls-failure.ts';
import type { EngineAddress } from './engine-address.ts';

/** What a connection to an engine that did not come about, or broke, is reported as. */
export function unreachable(address: EngineAddress, error: Error): BoxwrightError {
  const code = errorCode(error) ?? '';
  const tls = address.tls === undefined ? undefined : tlsFailure(code, error.message);
  if (tls !== undefined) return untrusted(address, tls, error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new BoxwrightError('ENGINE_DENIED', `this user may not talk to the Docker Engine at ${placeOf(address)}`, {
      hint: 'join the group of the socket (often `docker`), or use another engine with DOCKER_HOST',
      cause: error,
    });
  }
  return new BoxwrightError(
    'ENGINE_UNREACHABLE',
    `no Docker Engine answers at ${placeOf(address)}: ${escapeForTerminal(error.message)}`,
    { hint: 'start Docker, or name another engine with DOCKER_HOST or DOCKER_CONTEXT', cause: error },
  );
}

/** An engine that answers plain HTTP with the request to come over TLS. */
export function wantsTls(address: EngineAddress): BoxwrightError {
  return new BoxwrightError('ENGINE_TLS', `the Docker Engine at ${placeOf(address)} wants TLS`, {
    hint: 'set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem',
  });
}

/** Certificates that OpenSSL does not take. */
export function unusableCertificates(address: EngineAddress, error: Error): BoxwrightError {
  const why = `ca.pem, cert.pem and key.pem cannot be used: ${escapeForTerminal(error.message)}`;
  return new BoxwrightError('ENGINE_TLS', `no TLS connection to the Docker Engine at ${placeOf(address)}: ${why}`, {
    hint: `look at the files in ${directoryOf(address)}: the key has to be that of the certificate`,
    cause: error,
  });
}

function untrusted(address: EngineAddress, { kind, why }: TlsFailure, cause: Error): BoxwrightError {
  const hints: Readonly<Record<TlsFailure['kind'], string>> = {
    'plain-http': 'if that is meant, unset DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or change the context',
    'other-name': 'use a name that the certificate is made for, or have one made for this name',
    'client-certificate': `put a certificate of its authority and the key into cert.pem and key.pem in ${directoryOf(address)}`,
    untrusted: `put the certificate of its authority into ca.pem in ${directoryOf(address)}`,
    other: 'is it a Docker Engine with TLS that listens there?',
  };
  return new BoxwrightError('ENGINE_TLS', `no TLS connection to the Docker Engine at ${placeOf(address)}: ${why}`, {
    hint: hints[kind],
    cause,
  });
}

function placeOf(address: EngineAddress): string {
  return `${escapeForTerminal(address.text)} (${address.origin})`;
}

function directoryOf({ tls }: EngineAddress): string {
  return tls?.directory === undefined ? 'the directory that DOCKER_CERT_PATH names' : escapeForTerminal(tls.directory);
}
