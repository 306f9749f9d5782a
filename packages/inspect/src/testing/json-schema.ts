/** A JSON Schema (draft 2020-12), as far as {@link schemaErrors} reads it. */
type Schema = Readonly<Record<string, unknown>>;

const annotations: readonly string[] = ['$schema', '$id', '$defs', 'title', 'description'];

/**
 * Where a value breaks a schema; empty when it does not. Stricter than the specification: a member that an object's
 * `properties` do not list is an error, unless `additionalProperties` is there. Keywords that are not known throw, so
 * that a schema cannot say something that nobody checks.
 */
export function schemaErrors(schema: unknown, value: unknown): string[] {
  const root = asSchema(schema);
  return check(root, root, value, '$');
}

type Check = (argument: unknown, value: unknown, at: string, schema: Schema, root: Schema) => string[];

const checks: Readonly<Record<string, Check>> = {
  $ref: (argument, value, at, _, root) => check(resolve(root, String(argument)), root, value, at),
  type: (argument, value, at) => (hasType(String(argument), value) ? [] : [`${at} is not of type ${String(argument)}`]),
  const: (argument, value, at) => (value === argument ? [] : [`${at} is not ${JSON.stringify(argument)}`]),
  enum: (argument, value, at) =>
    Array.isArray(argument) && argument.includes(value) ? [] : [`${at} is none of ${JSON.stringify(argument)}`],
  pattern: (argument, value, at) =>
    typeof value !== 'string' || new RegExp(String(argument), 'u').test(value) ? [] : [`${at} does not match`],
  minimum: (argument, value, at) =>
    typeof value === 'number' && value < Number(argument) ? [`${at} is too small`] : [],
  required: (argument, value, at) =>
    isObject(value) && Array.isArray(argument)
      ? argument.filter((name) => !Object.hasOwn(value, String(name))).map((name) => `${at}.${String(name)} is missing`)
      : [],
  properties: (argument, value, at, schema, root) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, member]) => {
          const properties = asSchema(argument);
          if (Object.hasOwn(properties, name)) return check(asSchema(properties[name]), root, member, `${at}.${name}`);
          return 'additionalProperties' in schema ? [] : [`${at}.${name} is not in the schema`];
        })
      : [],
  additionalProperties: (argument, value, at, schema, root) =>
    isObject(value)
      ? Object.entries(value)
          .filter(([name]) => !Object.hasOwn(asSchema(schema['properties'] ?? {}), name))
          .flatMap(([name, member]) => check(asSchema(argument), root, member, `${at}.${name}`))
      : [],
  items: (argument, value, at, _, root) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => check(asSchema(argument), root, item, `${at}[${index}]`))
      : [],
  oneOf: (argument, value, at, _, root) => {
    const failures = (Array.isArray(argument) ? argument : []).map((option) =>
      check(asSchema(option), root, value, at),
    );
    const passed = failures.filter((errors) => errors.length === 0).length;
    return passed === 1 ? [] : [`${at} fits ${passed} of the alternatives: ${failures.flat().join('; ')}`];
  },
};

function check(schema: Schema, root: Schema, value: unknown, at: string): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (annotations.includes(keyword)) return [];
    if (!Object.hasOwn(checks, keyword)) throw new Error(`the schema uses ${keyword}, which is not checked`);
    return checks[keyword]?.(argument, value, at, schema, root) ?? [];
  });
}

/** `#/$defs/NAME`. */
function resolve(root: Schema, reference: string): Schema {
  const name = /^#\/\$defs\/(\w+)$/.exec(reference)?.[1];
  if (name === undefined) throw new Error(`the schema refers to ${reference}`);
  return asSchema(asSchema(root['$defs'])[name]);
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return type === 'null' ? value === null : typeof value === type;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asSchema(value: unknown): Schema {
  if (!isObject(value)) throw new Error(`this is no schema: ${JSON.stringify(value)}`);
  return value;
}
