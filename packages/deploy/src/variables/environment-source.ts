import { BoxwrightError } from '@boxwright/errors';
import { type PlainObject, type PlainValue, toPlainValue } from '../yaml/index.ts';
import type { BlockDocument, VariableSource } from './variable-source.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const variablePrefix = 'BOXWRIGHT_VARIABLE_';
const blockPrefix = 'BOXWRIGHT_BLOCK_';

/**
 * Variables and blocks from the environment, for CI systems that keep secrets there:
 *
 * - `BOXWRIGHT_VARIABLE_BASE_TAG=1.10` is the variable `base_tag`, always text;
 * - `BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY={"username": …}` is the block `docker-registry-credentials.dev-registry` as
 *   JSON; text that is no JSON object is a block with that one value, as secrets are;
 * - `BOXWRIGHT_BLOCK_DOCKER_REGISTRY_CREDENTIALS__DEV_REGISTRY__PASSWORD=…` is one field of it, in lower case, and counts more than the JSON.
 *
 * Names are written in upper case, with `_` for all but letters and digits.
 */
export function environmentSource(env: Environment): VariableSource {
  return {
    description: 'the environment',
    variable: async (name) => valueOf(env, variablePrefix + environmentName(name)),
    block: async (type, name) => readBlock(env, blockVariable(type, name)),
    names: () => ({ variables: variableNames(env), blocks: [] }),
  };
}

/** The environment variable that holds a variable. */
export function variableVariable(name: string): string {
  return variablePrefix + environmentName(name);
}

/** The environment variable that holds a block. */
export function blockVariable(type: string, name: string): string {
  return `${blockPrefix}${environmentName(type)}__${environmentName(name)}`;
}

function environmentName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
}

/** A variable of the environment: an own member, and not one of an object's prototype. */
function valueOf(env: Environment, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

function variableNames(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(variablePrefix))
    .map((name) => name.slice(variablePrefix.length).toLowerCase());
}

function readBlock(env: Environment, name: string): BlockDocument | undefined {
  const whole = valueOf(env, name);
  const data: Record<string, PlainValue> = Object.create(null);
  if (whole !== undefined) Object.assign(data, readData(whole, name));
  const fieldPrefix = `${name}__`;
  for (const key of Object.keys(env)) {
    const value = valueOf(env, key);
    if (value !== undefined && key.startsWith(fieldPrefix)) data[key.slice(fieldPrefix.length).toLowerCase()] = value;
  }
  return Object.keys(data).length === 0 ? undefined : { data };
}

function readData(text: string, name: string): PlainObject {
  if (!text.trimStart().startsWith('{')) return { value: text };
  try {
    // `as`: JSON text that begins with a brace is an object
    return toPlainValue(JSON.parse(text)) as PlainObject;
  } catch {
    // The cause would show the text, which holds secrets.
    throw new BoxwrightError('VARIABLES_INVALID', `the environment variable ${name} is no JSON`, {
      hint: 'Its value begins with a brace, so it should be a JSON object with the fields of the block.',
    });
  }
}
