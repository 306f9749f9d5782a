import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A credential helper in a directory of its own, which keeps its secrets in files. */
export interface HelperProgram {
  /** To be put at the beginning of PATH. */
  readonly directory: string;
  /** `ACTION INPUT` of every call, in order. */
  calls(): readonly string[];
  /** What is stored for a server, as the JSON that `get` prints. */
  stored(server: string): unknown;
  /** The environment of the last call, names only. */
  environment(): readonly string[];
}

const fileName = (server: string): string => Buffer.from(server).toString('hex');

/** Writes `docker-credential-NAME`, a shell script that speaks the protocol of docker-credential-helpers. */
export function installHelper(
  parent: string,
  name: string,
  entries: Readonly<Record<string, readonly [username: string, secret: string]>> = {},
): HelperProgram {
  const directory = join(parent, `helper-${name}`);
  const data = join(directory, 'data');
  mkdirSync(data, { recursive: true });
  for (const [server, [Username, Secret]] of Object.entries(entries)) {
    writeFileSync(join(data, fileName(server)), JSON.stringify({ ServerURL: server, Username, Secret }));
  }
  const script = `#!/bin/sh
input=$(cat)
printf '%s %s\\n' "$1" "$input" >> '${directory}/calls'
env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p' > '${directory}/environment'
key() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \\n'; }
case $1 in
get) cat '${data}'/"$(key "$input")" 2>/dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
store)
  server=$(printf '%s' "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/')
  printf '%s' "$input" > '${data}'/"$(key "$server")" ;;
erase) rm '${data}'/"$(key "$input")" ;;
esac
`;
  installScript(directory, name, script);
  const read = (file: string): string =>
    existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : '';
  return {
    directory,
    calls: () => read('calls').split('\n').slice(0, -1),
    stored: (server) =>
      readdirSync(data).includes(fileName(server)) ? JSON.parse(read(`data/${fileName(server)}`)) : undefined,
    environment: () => read('environment').split('\n').slice(0, -1),
  };
}

/** Any script as `docker-credential-NAME`. */
export function installScript(directory: string, name: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `docker-credential-${name}`);
  writeFileSync(path, script);
  chmodSync(path, 0o755);
}
