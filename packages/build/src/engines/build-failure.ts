import { BoxwrightError, type BoxwrightErrorOptions } from '@boxwright/errors';

/** What a builder says about a build that failed. */
export interface FailureReport {
  /** Who says it: `Docker Engine`, `buildx`. */
  readonly builder: string;
  /** Its words. */
  readonly message: string;
  /** The step that failed, as it is shown. */
  readonly step?: string | undefined;
  /** Of a command that ended with another exit code than 0. */
  readonly exitCode?: number | undefined;
  /** The last lines of its output. */
  readonly output?: string | undefined;
  /** Lines of the Dockerfile as the builder shows them. */
  readonly frame?: string | undefined;
  readonly cause?: unknown;
  /** Status of an HTTP answer that refused the build. */
  readonly status?: number | undefined;
}

/** A build that an engine outside of this process gave up: RUN_FAILED or ENGINE_BUILD_FAILED. */
export class EngineBuildError extends BoxwrightError {
  /** The place in the Dockerfile, in the builder's own words; `frame` of errors is what is shown below the message. */
  readonly frame: string | undefined;

  constructor(code: string, message: string, options: BoxwrightErrorOptions & { readonly frame?: string | undefined }) {
    super(code, message, options);
    this.frame = options.frame;
  }
}

/** The one error for failed builds, whichever builder they failed in. */
export function buildFailure(report: FailureReport): EngineBuildError {
  const { builder, message, step, exitCode, output, frame, cause, status } = report;
  const details = {
    builder,
    ...(step === undefined ? {} : { step }),
    ...(output === undefined || output === '' ? {} : { output }),
    ...placeOf(frame),
    ...(status === undefined ? {} : { status }),
  };
  if (exitCode !== undefined) {
    return new EngineBuildError('RUN_FAILED', message, { frame, cause, details: { ...details, exitCode } });
  }
  const isTransient = !isCommand(step) && (looksTransient(message) || mayPass.has(status));
  return new EngineBuildError('ENGINE_BUILD_FAILED', `${builder}: ${message}`, {
    frame,
    cause,
    hint: hintFor(message),
    details: { ...details, transient: isTransient },
  });
}

/** Too many requests, and what gateways say of a server that is not there. */
const mayPass: ReadonlySet<number | undefined> = new Set([429, 502, 503, 504]);

/** True for steps that run a command of the user: what those print says nothing about the machinery. */
export function isCommand(step: string | undefined): boolean {
  return step !== undefined && /^(?:\[[^\]]*\] |Step \d+\/\d+ : )?(?:ONBUILD )?RUN\b/i.test(step);
}

/**
 * Failures that another try may not meet again: of gateways, registries that ask to come later, connections. Builders
 * say so in words only; their words about a command (RUN) must not be given to this.
 */
export function looksTransient(words: string): boolean {
  return transientWords.test(words);
}

const transientWords =
  /429 too many requests|toomanyrequests|50[0234] (?:internal server error|bad gateway|service unavailable|gateway time-?out)|i\/o timeout|tls handshake timeout|connection reset|context deadline exceeded|unexpected eof|: EOF$/i;

function hintFor(message: string): string | undefined {
  if (looksDenied(message)) {
    return 'log in to the registry (boxwright login REGISTRY), and look whether the image name is the one that is meant';
  }
  if (/multi-platform build is not supported|does not currently support exporting manifest lists/i.test(message)) {
    return 'an image for several platforms cannot be kept in this engine: push it, or write it with --output type=oci';
  }
  if (/exporter is not supported for the docker driver/i.test(message)) {
    return 'the engines docker and embedded write archives, and so do other builders: docker buildx create --use';
  }
  return undefined;
}

/** True when a registry, or the engine for it, wants other credentials. */
export function looksDenied(words: string): boolean {
  return /denied|unauthorized|authentication required|no basic auth credentials/i.test(words);
}

/** BuildKit's frame begins with `Dockerfile:12`. */
function placeOf(frame: string | undefined): { readonly file?: string; readonly line?: number } {
  const place = /^(.+):(\d+)$/m.exec(frame?.split('\n')[0] ?? '');
  return place?.[1] === undefined ? {} : { file: place[1], line: Number(place[2]) };
}
