import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { SolveTrace } from '../solve/solve-trace.ts';

/** How buildx ended. */
export interface BuildxEnd {
  /** Exit code. */
  readonly code: number;
  /** The builder that was asked for by name. */
  readonly builder: string | undefined;
}

/**
 * What a failed call of buildx is reported as. BuildKit shows the place in the Dockerfile, a line of dashes around it, and
 * says `ERROR: …` at the end.
 *
 * @param words the last lines that it printed beside the progress
 */
export function buildxFailure(trace: SolveTrace, words: readonly string[], end: BuildxEnd): BoxwrightError {
  const at = words.findLastIndex((line) => line.startsWith('ERROR: '));
  const last = at < 0 ? words.filter((line) => line.trim() !== '').slice(-3) : words.slice(at);
  const said = last
    .join('\n')
    .trim()
    .replace(/^ERROR: (?:failed to build: )?(?:failed to solve: )?/, '');
  const message = said === '' ? `it ended with exit code ${end.code}` : said;
  return (trace.hasBegun ? undefined : connectionFailure(message, end)) ?? trace.failure(message, frameOf(words));
}

/** Before any step buildx looks for its builder, and that for its engine. They say why they fail in words only. */
const connectionFailures: readonly (readonly [words: RegExp, code: string, hint: string])[] = [
  [
    /tls: |x509: |context tls info|private key|x509 key pair|HTTP request to an HTTPS server|HTTP response to HTTPS client/i,
    'ENGINE_TLS',
    'set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem, or choose a Docker context that has them',
  ],
  [
    /docker endpoint for .* not found/,
    'ENGINE_ADDRESS_INVALID',
    'look at DOCKER_HOST, and whether DOCKER_CERT_PATH holds ca.pem, cert.pem and key.pem',
  ],
  [
    /cannot connect to the docker daemon|failed to connect to the docker api|error during connect/i,
    'ENGINE_UNREACHABLE',
    'start Docker, or name another engine with DOCKER_HOST or DOCKER_CONTEXT',
  ],
  [
    /no builder ".*" found/,
    'ENGINE_BUILD_FAILED',
    'docker buildx ls and docker context ls show what there is; docker buildx create makes a builder',
  ],
];

function connectionFailure(message: string, { builder }: BuildxEnd): BoxwrightError | undefined {
  const text = escapeForTerminal(message);
  const [, code, hint] = connectionFailures.find(([words]) => words.test(message)) ?? [];
  if (code !== undefined) return new BoxwrightError(code, `buildx: ${text}`, { hint });
  // buildx has waited for the builder already: another try would wait as long.
  if (!/context deadline exceeded|error while dialing|connection refused|no such host/i.test(message)) return undefined;
  const name = builder === undefined ? 'the builder' : `the builder ${escapeForTerminal(builder)}`;
  return new BoxwrightError('ENGINE_UNREACHABLE', `buildx: ${name} does not answer: ${text}`, {
    hint: `docker buildx inspect --bootstrap${builder === undefined ? '' : ` ${escapeForTerminal(builder)}`} says more; docker buildx ls shows the others`,
  });
}

function frameOf(words: readonly string[]): string | undefined {
  const first = words.findIndex((line) => /^-{10,}$/.test(line));
  const end = first < 0 ? -1 : words.findIndex((line, index) => index > first && /^-{10,}$/.test(line));
  return end < 0 || first === 0 ? undefined : [words[first - 1], ...words.slice(first + 1, end)].join('\n');
}
