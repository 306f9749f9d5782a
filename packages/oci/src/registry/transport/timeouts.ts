/** Milliseconds after which silence is a fault (threats R5). */
export interface Timeouts {
  /** Until the connection is there, name lookup, proxy and TLS included. */
  readonly connect: number;
  /** Until the first byte of an answer, once the request is sent. */
  readonly answer: number;
  /** The same for PUT and PATCH: the server may have to digest and store what it was sent. */
  readonly commit: number;
  /** Without a byte in the middle of a body, in either direction. */
  readonly idle: number;
}

/** What the transport waits unless told otherwise. */
export const defaultTimeouts: Timeouts = { connect: 10_000, answer: 30_000, commit: 120_000, idle: 30_000 };
