import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { isJsonObject, type JsonValue } from '../../documents/json.ts';
import { parseJson } from '../../documents/json-parser.ts';
import { errorCode } from '../../store/files.ts';
import type { CredentialEnvironment } from './auth-file-paths.ts';
import type { Credential } from './credential.ts';
import { helperEnvironment } from './helper-environment.ts';
import { redact, Secret } from './secret.ts';

/** One call of `docker-credential-NAME`. */
export interface HelperOptions {
  /** The part after `docker-credential-`. */
  readonly name: string;
  readonly environment: CredentialEnvironment;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; a helper may ask its user for a passphrase. */
  readonly timeoutMs?: number | undefined;
}

/** What a helper says for a server; `not-installed` when there is no such program. */
export type HelperAnswer = Credential | 'nothing' | 'not-installed';

const DEFAULT_TIMEOUT = 60_000;
const MAX_OUTPUT = 1024 * 1024;
const MAX_SHOWN = 300;

/** What helpers print, on standard output and with an exit code, for a server they do not know. */
const notFound = 'credentials not found in native keychain';
/** The user name that marks a secret as an identity token. */
const TOKEN_USER = '<token>';

/** The credential a helper has for a server. @throws BoxwrightError CREDENTIAL_HELPER_FAILED */
export async function getFromHelper(server: string, options: HelperOptions): Promise<HelperAnswer> {
  const end = await run('get', server, [], options);
  if (end === undefined) return 'not-installed';
  if (end.exit !== 0) {
    if (end.output.includes(notFound)) return 'nothing';
    throw failed(options, 'get', server, end, []);
  }
  let json: JsonValue;
  try {
    json = parseJson(Buffer.from(end.output), { duplicateKeys: 'last', maxDepth: 8 });
  } catch {
    throw failure(options, `docker-credential-${options.name} get printed something that is not JSON`);
  }
  const username = isJsonObject(json) ? json.get('Username') : undefined;
  const secret = isJsonObject(json) ? json.get('Secret') : undefined;
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failure(options, `docker-credential-${options.name} get printed no Username and Secret`);
  }
  if (secret === '') return 'nothing';
  if (username === TOKEN_USER) return { kind: 'identity-token', identityToken: new Secret(secret) };
  return { kind: 'password', username, password: new Secret(secret) };
}

/** Gives a helper a credential to keep. @throws BoxwrightError CREDENTIAL_HELPER_FAILED, also when it is not installed */
export async function storeInHelper(server: string, credential: Credential, options: HelperOptions): Promise<void> {
  if (credential.kind === 'registry-token') throw failure(options, 'credential helpers keep no registry tokens');
  const isPassword = credential.kind === 'password';
  const secret = isPassword ? credential.password : credential.identityToken;
  const username = isPassword ? credential.username : TOKEN_USER;
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: secret.reveal() });
  const end = await run('store', input, [secret], options);
  if (end === undefined) throw notInstalled(options);
  if (end.exit !== 0) throw failed(options, 'store', server, end, [secret]);
}

/** Makes a helper forget a server; true when it knew it. @throws BoxwrightError CREDENTIAL_HELPER_FAILED, also when it is not installed */
export async function eraseFromHelper(server: string, options: HelperOptions): Promise<boolean> {
  const known = await getFromHelper(server, options);
  if (known === 'not-installed') throw notInstalled(options);
  if (known === 'nothing') return false;
  const end = await run('erase', server, [], options);
  if (end !== undefined && end.exit === 0) return true;
  if (end === undefined) throw notInstalled(options);
  throw failed(options, 'erase', server, end, []);
}

/** CREDENTIAL_HELPER_FAILED for a program that is not there. */
export function notInstalled({ name }: HelperOptions): BoxwrightError {
  const program = `docker-credential-${escapeForTerminal(name)}`;
  return new BoxwrightError('CREDENTIAL_HELPER_FAILED', `the credential helper ${program} is not installed`, {
    hint: `Install ${program} where PATH finds it, or take it out of credHelpers and credsStore.`,
    details: { helper: name },
  });
}

interface HelperEnd {
  /** Exit code, or the name of the signal. */
  readonly exit: number | string;
  readonly output: string;
  readonly errors: string;
}

/** Runs the helper; undefined when it is not installed. */
async function run(
  action: 'get' | 'store' | 'erase',
  input: string,
  secrets: readonly Secret[],
  options: HelperOptions,
): Promise<HelperEnd | undefined> {
  const { name, signal, environment } = options;
  // The name becomes a program's: no path may hide in it.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw failure(options, `"${escapeForTerminal(name.slice(0, 100))}" cannot be the name of a credential helper`);
  }
  signal?.throwIfAborted();
  const child = spawn(`docker-credential-${name}`, [action], {
    env: helperEnvironment(environment),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return new Promise<HelperEnd | undefined>((resolve, reject) => {
    const timeout = options.timeoutMs ?? DEFAULT_TIMEOUT;
    const timer = setTimeout(() => {
      stop(failure(options, `docker-credential-${name} ${action} has not ended within ${timeout / 1000} s`));
    }, timeout);
    const onAbort = (): void => stop(signal?.reason);
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const stop = (error: unknown): void => {
      done();
      kill(child);
      reject(error);
    };
    const tooMuch = (): void => stop(failure(options, `docker-credential-${name} ${action} printed more than 1 MiB`));
    const output = collect(child.stdout, tooMuch);
    const errors = collect(child.stderr, tooMuch);
    signal?.addEventListener('abort', onAbort);
    child.once('error', (error) => {
      done();
      if (errorCode(error) === 'ENOENT') resolve(undefined);
      else reject(failure(options, `docker-credential-${name} cannot be started: ${redact(error.message, secrets)}`));
    });
    child.once('close', (code, killedBy) => {
      done();
      resolve({ exit: code ?? killedBy ?? 'an unknown signal', output: output(), errors: errors() });
    });
    // A helper that ends without reading its input says what it has to say by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Ends the helper now; what it has started may keep the pipes open, so nobody waits for their end. */
function kill(child: ChildProcessWithoutNullStreams): void {
  child.kill('SIGKILL');
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
}

function collect(stream: NodeJS.ReadableStream, tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  // Nobody has set an encoding: the pieces are buffers.
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MAX_OUTPUT) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function failed(
  options: HelperOptions,
  action: string,
  server: string,
  end: HelperEnd,
  secrets: readonly Secret[],
): BoxwrightError {
  // Helpers print errors on standard output. What looks like an answer may hold a secret and is not shown.
  const words = [end.output, end.errors].map((text) => text.trim()).filter((text) => text !== '' && !/[{}]/.test(text));
  const said = redact(words.join('; '), secrets).slice(0, MAX_SHOWN);
  const how = typeof end.exit === 'number' ? `exit code ${end.exit}` : end.exit;
  const program = `docker-credential-${options.name} ${action}`;
  return failure(
    options,
    `${program} for ${escapeForTerminal(server)} ended with ${how}${said === '' ? '' : `: ${escapeForTerminal(said)}`}`,
  );
}

function failure({ name }: HelperOptions, message: string): BoxwrightError {
  return new BoxwrightError('CREDENTIAL_HELPER_FAILED', message, {
    hint: 'Try the helper by hand, or take it out of credHelpers and credsStore.',
    details: { helper: name },
  });
}
