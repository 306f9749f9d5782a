import { escapeForTerminal } from '@boxwright/errors';

/** Why a TLS connection did not come about. */
export interface TlsFailure {
  readonly kind:
    | 'plain-http'
    /** The certificate is for other names. */
    | 'other-name'
    /** The server refuses our certificate, or wants one. */
    | 'client-certificate'
    /** The certificate is out of date, revoked, or of an authority that is not trusted. */
    | 'untrusted'
    | 'other';
  /** In words, about the server: `it speaks plain HTTP`. Safe to print. */
  readonly why: string;
}

const certificateReasons: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['CERT_REVOKED', 'its certificate was revoked'],
  ['CERT_SIGNATURE_FAILURE', 'its certificate comes from an authority that is not known here'],
  ['CERT_UNTRUSTED', 'its certificate is not trusted'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate comes from an authority that is not trusted here'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its certificate comes from an authority that is not known here'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its certificate comes from an authority that is not known here'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate comes from an authority that is not known here'],
]);

/**
 * Reads an error of Node or OpenSSL; undefined for one that is not about TLS.
 *
 * @param code its `code`
 * @param text its message
 */
export function tlsFailure(code: string, text: string): TlsFailure | undefined {
  if (!isTlsFailure(code, text)) return undefined;
  if (isPlainHttp(code, text)) return { kind: 'plain-http', why: 'it speaks plain HTTP' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return { kind: 'other-name', why: `its certificate is for other names (${shown(text)})` };
  }
  // Servers say so by an alert, which OpenSSL names in the code or, as EPROTO, in the text only.
  if (/alert|handshake[ _]failure/i.test(`${code} ${text}`) && /certificate|unknown[ _]ca/i.test(`${code} ${text}`)) {
    return { kind: 'client-certificate', why: `it refused our client certificate, or wants one (${shown(text)})` };
  }
  const why = certificateReasons.get(code);
  return why === undefined ? { kind: 'other', why: shown(text) } : { kind: 'untrusted', why };
}

function isTlsFailure(code: string, text: string): boolean {
  return (
    certificateReasons.has(code) ||
    /^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_|CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|UNABLE_TO_)/.test(code) ||
    (code === 'EPROTO' && /ssl|tls/i.test(text))
  );
}

/** What OpenSSL makes of an answer in plain text. */
function isPlainHttp(code: string, text: string): boolean {
  return (
    /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG/.test(code) ||
    /wrong version number|packet length too long/i.test(text)
  );
}

/** OpenSSL's own words without addresses and source lines: `tlsv1 alert unknown ca`. */
function shown(text: string): string {
  const [, words] = /:error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]+):/.exec(text) ?? [];
  return escapeForTerminal((words ?? text).trim().slice(0, 300));
}
