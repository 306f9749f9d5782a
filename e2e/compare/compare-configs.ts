import type { ImageSummary, Json } from './summary.ts';
import { TimeClasses } from './time-classes.ts';

/** Differences of the config JSON (times by class, diffIDs by count) and of the history rows. */
export function compareConfigs(expected: ImageSummary, actual: ImageSummary): string[] {
  return differencesOf(comparableConfig(expected), comparableConfig(actual), 'config');
}

/** The config with times replaced by their classes and diffIDs by their number. */
function comparableConfig(image: ImageSummary): Json {
  const classes = new TimeClasses();
  const history = array(image.config['history']).map((row) => {
    const fields = record(row);
    const created = fields['created'];
    return typeof created === 'string' ? { ...fields, created: classes.classOf(created) } : fields;
  });
  const rootfs = record(image.config['rootfs']);
  const created = image.config['created'];
  return {
    ...image.config,
    ...(typeof created === 'string' ? { created: classes.classOf(created) } : {}),
    history,
    rootfs: { ...rootfs, diff_ids: `${array(rootfs['diff_ids']).length} layers` },
  };
}

function array(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function record(value: Json | undefined): { readonly [key: string]: Json } {
  return isRecord(value) ? value : {};
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every place where two JSON values differ, one line each. Key order does not matter, array order does. */
export function differencesOf(expected: Json | undefined, actual: Json | undefined, path: string): string[] {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const lines = [];
    if (expected.length !== actual.length) {
      lines.push(`${path}: ${expected.length} elements expected, ${actual.length} found`);
    }
    for (let index = 0; index < Math.max(expected.length, actual.length); index++) {
      lines.push(...differencesOf(expected[index], actual[index], `${path}[${index}]`));
    }
    return lines;
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].toSorted();
    return keys.flatMap((key) =>
      differencesOf(
        Object.hasOwn(expected, key) ? expected[key] : undefined,
        Object.hasOwn(actual, key) ? actual[key] : undefined,
        `${path}.${key}`,
      ),
    );
  }
  if (expected === actual) return [];
  return [`${path}: expected ${show(expected)}, found ${show(actual)}`];
}

function show(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
