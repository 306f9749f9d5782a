import {
  type ContainerConfig,
  type ImageConfig,
  isJsonObject,
  JsonNumber,
  type JsonObject,
  type JsonValue,
} from '@boxwright/oci';
import type { Redactor } from '../secrets/redactor.ts';
import type { SettingDifference } from './model.ts';

/** A config and what takes its secrets out of what is shown. */
export interface ShownConfig {
  readonly config: ImageConfig;
  readonly redactor?: Redactor | undefined;
}

/** Members that are compared one by one, or have a part of the diff of their own. */
const ownMembers: ReadonlySet<string> = new Set([
  'config',
  'history',
  'rootfs',
  'created',
  'author',
  'architecture',
  'os',
  'variant',
  'os.version',
  'os.features',
]);
const ownSettings: ReadonlySet<string> = new Set([
  'User',
  'Env',
  'Cmd',
  'Entrypoint',
  'WorkingDir',
  'Labels',
  'ExposedPorts',
  'Volumes',
  'StopSignal',
  'Shell',
  'Healthcheck',
  'OnBuild',
  'ArgsEscaped',
]);

/** One value of both configs, as text. */
type Texts = readonly [before: string | undefined, after: string | undefined];

/**
 * Members of two configs that differ, those that the specification does not know included. Compared as they are, shown
 * without secrets: a password that changed is one that changed.
 */
export function settingDifferences(before: ShownConfig, after: ShownConfig): SettingDifference[] {
  const [one, other] = [before.config, after.config];
  const found: SettingDifference[] = [];
  const add = (field: string, [left, right]: Texts, name?: string): void => {
    if (left === right) return;
    found.push({
      field,
      ...(name === undefined ? {} : { name }),
      ...(left === undefined ? {} : { before: shown(left, name, before) }),
      ...(right === undefined ? {} : { after: shown(right, name, after) }),
    });
  };
  const text = (field: string, read: (config: ImageConfig) => string | undefined): void =>
    add(field, [read(one) || undefined, read(other) || undefined]);
  const addWords = (field: string, left: readonly string[], right: readonly string[]): void => {
    if (JSON.stringify(left) === JSON.stringify(right)) return;
    found.push({ field, ...member('before', left, before), ...member('after', right, after) });
  };
  const list = (field: string, read: (config: ContainerConfig) => readonly string[]): void =>
    addWords(field, read(one.config), read(other.config));

  text('os', ({ os }) => os);
  text('architecture', ({ architecture }) => architecture);
  text('variant', ({ variant }) => variant);
  text('os.version', ({ osVersion }) => osVersion);
  text('os.features', ({ osFeatures }) => osFeatures?.join(', '));
  text('created', ({ created }) => created);
  text('author', ({ author }) => author);
  text('User', ({ config }) => config.User);
  text('WorkingDir', ({ config }) => config.WorkingDir);
  list('Entrypoint', ({ Entrypoint }) => Entrypoint);
  list('Cmd', ({ Cmd }) => Cmd);
  list('Shell', ({ Shell }) => Shell);
  text('StopSignal', ({ config }) => config.StopSignal);
  add('Healthcheck', [json(one.config.Healthcheck), json(other.config.Healthcheck)]);
  for (const [name, texts] of paired(variables(one), variables(other))) add('Env', texts, name);
  if (sameSet(one.config.Env, other.config.Env)) add('Env', [order(one), order(other)]);
  for (const [name, texts] of paired(one.config.Labels, other.config.Labels)) add('Labels', texts, name);
  for (const field of ['ExposedPorts', 'Volumes'] as const) {
    for (const [name, texts] of paired(names(one.config[field]), names(other.config[field]))) add(field, texts, name);
  }
  list('OnBuild', ({ OnBuild }) => OnBuild);
  add('ArgsEscaped', [String(one.config.ArgsEscaped), String(other.config.ArgsEscaped)]);
  for (const [name, texts] of paired(others(one.json, ownMembers), others(other.json, ownMembers))) add(name, texts);
  for (const [name, texts] of paired(settings(one), settings(other))) add(name, texts);
  return found;
}

function shown(value: string, name: string | undefined, { redactor }: ShownConfig): string {
  if (redactor === undefined) return value;
  return name === undefined ? redactor.text(value) : redactor.value(name, value);
}

/** A list as JSON. Secrets are taken out word by word, where a flag is still next to its value. */
function member<Name extends 'before' | 'after'>(
  name: Name,
  words: readonly string[],
  { redactor }: ShownConfig,
): { readonly [Key in Name]?: string } {
  if (words.length === 0) return {};
  // A computed key makes an object of any string key; this one is Name.
  return { [name]: JSON.stringify(redactor?.words(words) ?? words) } as { readonly [Key in Name]: string };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** The last one of a name counts, as it does in a container. */
function variables({ config }: ImageConfig): ReadonlyMap<string, string> {
  return new Map(
    config.Env.map((variable) => {
      const equals = variable.indexOf('=');
      return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
    }),
  );
}

/** Variables in another order are another config, but none of them is another. */
function order({ config }: ImageConfig): string {
  return config.Env.map((variable) => variable.split('=', 1)[0]).join(' ');
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  const sorted = right.toSorted();
  return left.length === right.length && left.toSorted().every((item, index) => item === sorted[index]);
}

function names(list: readonly string[]): ReadonlyMap<string, string> {
  return new Map(list.map((name) => [name, '']));
}

function settings({ json: document }: ImageConfig): ReadonlyMap<string, string> {
  const config = document.get('config');
  return isJsonObject(config) ? others(config, ownSettings) : new Map();
}

/** Members that nothing else compares, as JSON. */
function others(object: JsonObject, own: ReadonlySet<string>): ReadonlyMap<string, string> {
  return new Map(
    [...object]
      .filter(([name, value]) => !own.has(name) && value !== null)
      .map(([name, value]) => [name, jsonText(value)]),
  );
}

/** Members sorted, so that their order does not count. */
function jsonText(value: JsonValue): string {
  if (value instanceof JsonNumber) return value.text;
  if (isJsonObject(value)) {
    const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join(',')}}`;
  }
  return Array.isArray(value) ? `[${value.map(jsonText).join(',')}]` : JSON.stringify(value);
}

/** What either of two maps has, sorted by name. */
function paired(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): (readonly [string, Texts])[] {
  const all = [...new Set([...before.keys(), ...after.keys()])].sort();
  return all.map((name) => [name, [before.get(name), after.get(name)]]);
}
