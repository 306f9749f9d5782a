import { UsageError } from '@boxwright/errors';

/** Environment variables as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `--build-arg K=V` and `--build-arg K` (value from the environment; left out when it is not set there). A later one
 * replaces an earlier one. `SOURCE_DATE_EPOCH` is taken from the environment as if it had been given, as buildx does.
 */
export function parseBuildArgs(values: readonly string[], env: Environment): Map<string, string> {
  const args = new Map<string, string>();
  const epoch = env['SOURCE_DATE_EPOCH'];
  if (epoch !== undefined && epoch !== '') args.set('SOURCE_DATE_EPOCH', epoch);
  for (const value of values) {
    const [key, text] = splitPair(value, '--build-arg');
    const resolved = text ?? env[key];
    if (resolved === undefined) args.delete(key);
    else args.set(key, resolved);
  }
  return args;
}

/** `--label K=V`; without `=` the value is empty. */
export function parseLabels(values: readonly string[]): Map<string, string> {
  return new Map(values.map((value) => splitPair(value, '--label')).map(([key, text]) => [key, text ?? '']));
}

/**
 * `--annotation K=V` and `--annotation manifest:K=V`, set on the image's manifest.
 * @throws UsageError for the other places that buildx knows, which need an index.
 */
export function parseAnnotations(values: readonly string[]): Map<string, string> {
  const annotations = new Map<string, string>();
  for (const value of values) {
    const prefix = /^((?:index|manifest|index-descriptor|manifest-descriptor)(?:\[[^\]]*\])?(?:,[a-z-]+)*):/.exec(
      value,
    )?.[1];
    if (prefix !== undefined && prefix !== 'manifest') {
      throw new UsageError(`--annotation ${value}: annotations on '${prefix}' are not supported`, {
        hint: 'Only manifest annotations are: --annotation KEY=VALUE.',
      });
    }
    const [key, text] = splitPair(prefix === undefined ? value : value.slice(prefix.length + 1), '--annotation');
    if (text === undefined) throw new UsageError(`--annotation ${value}: must be KEY=VALUE`);
    annotations.set(key, text);
  }
  return annotations;
}

/** `-e K=V` and `-e K` of `run`, as `K=V` lines; a name that the environment lacks is left out. */
export function parseEnvironment(values: readonly string[], env: Environment): string[] {
  return values.flatMap((value) => {
    const [key, text] = splitPair(value, '--env');
    const resolved = text ?? env[key];
    return resolved === undefined ? [] : [`${key}=${resolved}`];
  });
}

/**
 * The times that a reproducible build is clamped to, seconds since 1970.
 * @throws UsageError when `SOURCE_DATE_EPOCH` is no whole number.
 */
export function parseSourceDateEpoch(buildArgs: ReadonlyMap<string, string>): number | undefined {
  const text = buildArgs.get('SOURCE_DATE_EPOCH');
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seconds)) {
    throw new UsageError(`SOURCE_DATE_EPOCH is '${text}': it must be a whole number of seconds since 1970`);
  }
  return seconds;
}

function splitPair(value: string, option: string): [key: string, text: string | undefined] {
  const equals = value.indexOf('=');
  const key = equals === -1 ? value : value.slice(0, equals);
  if (key === '') throw new UsageError(`${option} ${value}: the name before '=' is missing`);
  return [key, equals === -1 ? undefined : value.slice(equals + 1)];
}
