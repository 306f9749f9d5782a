import { BoxwrightError } from '@boxwright/errors';
import { type Document, isMap, isNode, isScalar, parseDocument, type Scalar, YAMLMap } from 'yaml';
import { isPlainObject, type PlainObject, type PlainValue } from '../yaml/index.ts';
import { type VariablesContent, variablesContent } from './variables-content.ts';

/** Where a value stands in a file of variables. */
export type VariablesPlace =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'block'; readonly type: string; readonly name: string };

/** A change of one place. */
export interface VariablesChange {
  readonly place: VariablesPlace;
  /**
   * The value of a variable; of a block its single value, or fields that are set beside those that it has. Undefined: the place is removed.
   */
  readonly value: PlainValue | undefined;
}

/**
 * The text of a file of variables with one change. Comments, order and the way in which all else is written stay.
 *
 * @param text empty for a file that is to be made
 * @throws BoxwrightError what `parseVariables` throws; `VARIABLES_INVALID` where the place cannot be changed without changing others, as
 * anchors and merges of mappings can have it
 */
export async function editVariables(text: string, file: string, change: VariablesChange): Promise<string> {
  const before = await variablesContent(text, file);
  const document = parseDocument(text, {
    version: '1.2',
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  // What stands under the same mapping by an alias changes with it: so the result is read again and compared.
  const expected = changed(before, change);
  try {
    apply(document, change, expected);
    const edited = document.toString({ lineWidth: 0, flowCollectionPadding: false });
    if (sameContent(await variablesContent(edited, file), expected)) return edited;
  } catch {
    // The library has no alias to what is gone, and we no place below a text. The cause would show secrets.
  }
  throw new BoxwrightError('VARIABLES_INVALID', `${file}: this place cannot be changed without changing others`, {
    hint: 'It is written with anchors, aliases or merges: change it in an editor.',
  });
}

function changed(content: VariablesContent, { place, value }: VariablesChange): VariablesContent {
  const variables = new Map(content.variables);
  const blocks = new Map(content.blocks);
  if (place.kind === 'variable') {
    if (value === undefined) variables.delete(place.name);
    else variables.set(place.name, value);
  } else {
    const key = `${place.type}/${place.name}`;
    if (value === undefined) blocks.delete(key);
    else blocks.set(key, isPlainObject(value) ? { ...fieldsOf(blocks.get(key)), ...value } : { value });
  }
  return { variables, blocks };
}

/** A block that was one value gets fields in its place. */
function fieldsOf(data: PlainObject | undefined): PlainObject {
  return data === undefined || isSingleValue(data) ? {} : data;
}

function isSingleValue(data: PlainObject): boolean {
  return Object.keys(data).length === 1 && Object.hasOwn(data, 'value');
}

function apply(document: Document, { place, value }: VariablesChange, { blocks }: VariablesContent): void {
  document.contents ??= new YAMLMap(document.schema);
  if (!isMap(document.contents)) throw new TypeError('no mapping');
  if (place.kind === 'variable') {
    const variables = mapAt(document, document.contents, 'variables');
    if (value === undefined) variables.delete(place.name);
    else put(document, variables, place.name, value);
    return;
  }
  const types = mapAt(document, document.contents, 'blocks');
  const ofType = mapAt(document, types, place.type);
  if (value === undefined) {
    ofType.delete(place.name);
    if (ofType.items.length === 0) types.delete(place.type);
    return;
  }
  const block = ofType.get(place.name, true);
  if (isPlainObject(value) && isMap(block)) {
    for (const [field, item] of Object.entries(value)) put(document, block, field, item);
    return;
  }
  put(
    document,
    ofType,
    place.name,
    isPlainObject(value) ? (blocks.get(`${place.type}/${place.name}`) ?? value) : value,
  );
}

/** A mapping below another one, made where there is none or nothing. */
function mapAt(document: Document, parent: YAMLMap, key: string): YAMLMap {
  const found: unknown = parent.get(key, true);
  if (isMap(found)) return found;
  if (found !== undefined && !(isScalar(found) && found.value === null)) throw new TypeError('no mapping');
  const made = new YAMLMap(document.schema);
  put(document, parent, key, made);
  return made;
}

/** Sets a value in place of another one. What is written beside that stays. */
function put(document: Document, parent: YAMLMap, key: string, value: PlainValue | YAMLMap): void {
  const old: unknown = parent.get(key, true);
  const made = document.createNode(value);
  if (isNode(old)) {
    made.commentBefore = old.commentBefore ?? null;
    made.comment = old.comment ?? null;
    // `as`: what createNode makes, and all that is no alias, has this member
    (made as Scalar).spaceBefore = (old as Scalar).spaceBefore ?? false;
  }
  parent.set(key, made);
}

function sameContent(one: VariablesContent, other: VariablesContent): boolean {
  return text(one) === text(other);
}

/** Names in one order, and objects of any prototype alike. */
function text({ variables, blocks }: VariablesContent): string {
  const byName = (map: ReadonlyMap<string, PlainValue>): unknown =>
    [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([byName(variables), byName(blocks)]);
}
