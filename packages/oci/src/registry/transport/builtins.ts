import type * as dns from 'node:dns';
import type * as http from 'node:http';
import type * as https from 'node:https';
import type * as tls from 'node:tls';

/**
 * Node's network modules, loaded when the first connection is made: as static imports they would cost every command,
 * also those that never talk to a registry, some milliseconds at start.
 */
export const builtins: {
  readonly http: typeof http;
  readonly https: typeof https;
  readonly tls: typeof tls;
  readonly dns: typeof dns;
} = {
  get http() {
    return process.getBuiltinModule('node:http');
  },
  get https() {
    return process.getBuiltinModule('node:https');
  },
  get tls() {
    return process.getBuiltinModule('node:tls');
  },
  get dns() {
    return process.getBuiltinModule('node:dns');
  },
};
