import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/**
 * Where a value breaks a JSON Schema (draft 7, which editors of YAML know best, or 2020-12); empty when it does not. Stricter than the specification: a member
 * that an object's `properties` do not list is an error, unless `additionalProperties` is there, and a schema with
 * keywords that are not known throws. So a schema cannot stay behind what it describes.
 */
export function schemaErrors(schema: unknown, value: unknown): string[] {
  const strict = closed(schema);
  const Draft = String(strict['$schema']).includes('draft-07') ? Ajv : Ajv2020;
  const validate = new Draft({ allErrors: true, strictTypes: false }).compile(strict);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

function closed(schema: unknown): Record<string, unknown> {
  if (!isObject(schema)) throw new Error(`this is no schema: ${JSON.stringify(schema)}`);
  const members = Object.entries(schema).map(([name, member]) => [name, isObject(member) ? closed(member) : member]);
  const copy: Record<string, unknown> = Object.fromEntries(members);
  return isObject(copy['properties']) && copy['type'] === 'object' ? { additionalProperties: false, ...copy } : copy;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
