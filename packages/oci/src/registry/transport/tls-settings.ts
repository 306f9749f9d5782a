/** How a host is spoken to over TLS. */
export interface TlsSettings {
  /** Certificates are not checked: anybody in between can read and change everything. */
  readonly insecure?: boolean;
  /** PEM certificates that are trusted besides the usual ones. */
  readonly ca?: readonly Buffer[];
  /** PEM client certificate and its key. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Settings of a host, or undefined for the usual. Called once for each origin. */
export type TlsChoice = (url: URL) => TlsSettings | undefined;
