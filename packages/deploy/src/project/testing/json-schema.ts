type Schema = Readonly<Record<string, unknown>>;
type Check = (argument: unknown, value: unknown, at: string, schema: Schema, root: Schema) => string[];

const annotations: readonly string[] = ['$schema', '$defs', 'title', 'description'];

/** Where a value breaks a JSON Schema; empty where it does not. Keywords that are not known throw. */
export function schemaErrors(schema: unknown, value: unknown): string[] {
  return check(asObject(schema), asObject(schema), value, '$');
}

const checks: Readonly<Record<string, Check>> = {
  $ref: (argument, value, at, _, root) => {
    const name = /^#\/\$defs\/(\w+)$/.exec(String(argument))?.[1] ?? '';
    return check(asObject(asObject(root['$defs'])[name]), root, value, at);
  },
  type: (argument, value, at) =>
    [argument].flat().some((type) => hasType(String(type), value))
      ? []
      : [`${at} is not ${[argument].flat().join(' or ')}`],
  pattern: (argument, value, at) =>
    typeof value !== 'string' || new RegExp(String(argument), 'u').test(value) ? [] : [`${at} does not match`],
  items: (argument, value, at, _, root) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => check(asObject(argument), root, item, `${at}[${index}]`))
      : [],
  anyOf: (argument, value, at, _, root) => {
    const failures = [argument].flat().map((option) => check(asObject(option), root, value, at));
    return failures.some((errors) => errors.length === 0) ? [] : failures.flat();
  },
  minProperties: (argument, value, at) =>
    isObject(value) && Object.keys(value).length < Number(argument) ? [`${at} has too few`] : [],
  maxProperties: (argument, value, at) =>
    isObject(value) && Object.keys(value).length > Number(argument) ? [`${at} has too many`] : [],
  properties: (argument, value, at, _, root) =>
    isObject(value)
      ? Object.entries(asObject(argument)).flatMap(([name, member]) =>
          Object.hasOwn(value, name) ? check(asObject(member), root, value[name], `${at}.${name}`) : [],
        )
      : [],
  patternProperties: () => [],
  additionalProperties: (argument, value, at, schema, root) => {
    if (!isObject(value)) return [];
    const patterns = Object.keys(asObject(schema['patternProperties'] ?? {}));
    const others = Object.entries(value).filter(
      ([name]) =>
        !Object.hasOwn(asObject(schema['properties'] ?? {}), name) &&
        !patterns.some((text) => new RegExp(text).test(name)),
    );
    if (argument === false) return others.map(([name]) => `${at}.${name} is not known`);
    return others.flatMap(([name, member]) => check(asObject(argument), root, member, `${at}.${name}`));
  },
};

function check(schema: Schema, root: Schema, value: unknown, at: string): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (annotations.includes(keyword)) return [];
    const found = Object.hasOwn(checks, keyword) ? checks[keyword] : undefined;
    if (found === undefined) throw new Error(`the schema uses ${keyword}, which is not checked`);
    return found(argument, value, at, schema, root);
  });
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

function asObject(value: unknown): Schema {
  if (!isObject(value)) throw new Error(`this is no schema: ${JSON.stringify(value)}`);
  return value;
}
