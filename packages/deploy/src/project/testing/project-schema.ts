import type { StepDefinition } from '../../steps/step-definition.ts';
import { deploymentFields, type Fields, type FieldType, projectFields, workPoolFields } from '../fields.ts';
import { type InputType, stepInputDocs } from './step-input-docs.ts';

type Schema = Readonly<Record<string, unknown>>;

const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const either = (...options: readonly Schema[]): Schema => ({ anyOf: options });
const nothing: Schema = { type: 'null' };

/** docs/schema/boxwright.schema.json, from the tables that the reader checks with. Draft 7, which all editors know. */
export function projectSchema(steps: readonly StepDefinition[]): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'boxwright.yaml, prefect.yaml',
    description: 'A project file of Boxwright: steps that build and push images, and what is deployed.',
    type: 'object',
    properties: fieldsSchema(projectFields),
    patternProperties: { '^x-': {} },
    additionalProperties: false,
    $defs: {
      placeholder: { type: 'string', pattern: '\\{\\{', description: 'A value that is put in before the step runs.' },
      text: { type: ['string', 'number', 'null'] },
      steps: either(
        { type: 'array', items: either(ref('step'), nothing) },
        ref('step'),
        { type: 'object', maxProperties: 0 },
        nothing,
      ),
      step: {
        type: 'object',
        description: 'One step: its name, and its inputs below it.',
        minProperties: 1,
        maxProperties: 1,
        properties: Object.fromEntries(steps.flatMap((step) => namesOf(step).map((name) => [name, ref(step.name)]))),
        additionalProperties: ref('inputs'),
      },
      id: { type: ['string', 'number', 'null'], description: 'Name for placeholders: {{ id.result }}.' },
      requires: {
        anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }, nothing],
        description: 'Python packages that Prefect would install. Only checked.',
      },
      inputs: { type: ['object', 'null'], properties: reserved },
      ...Object.fromEntries(steps.map((step) => [step.name, stepSchema(step)])),
      deployment: object('A deployment.', fieldsSchema(deploymentFields)),
      work_pool: object('A work pool.', fieldsSchema(workPoolFields)),
    },
  };
}

const reserved: Schema = { id: ref('id'), requires: ref('requires') };

function object(description: string, properties: Schema): Schema {
  return { type: 'object', description, properties, patternProperties: { '^x-': {} }, additionalProperties: false };
}

function namesOf(step: StepDefinition): string[] {
  return [...step.modules.map((module) => `${module}.${step.name}`), step.name];
}

function stepSchema(step: StepDefinition): Schema {
  const inputs = step.inputs.map((name): [string, Schema] => {
    const docs = stepInputDocs.get(name);
    if (docs === undefined) {
      // Arguments of Prefect's engines that change nothing here are known, but not suggested.
      if (step.name === 'build_docker_image') return [name, {}];
      throw new Error(`the input ${name} of ${step.name} is not in step-input-docs.ts`);
    }
    return [name, { ...inputSchema(docs[0]), description: docs[1] }];
  });
  return {
    type: ['object', 'null'],
    properties: { ...reserved, ...Object.fromEntries(inputs) },
    additionalProperties: false,
  };
}

function inputSchema(type: InputType): Schema {
  const texts: Schema = { type: 'array', items: ref('text') };
  switch (type) {
    case 'text':
      return ref('text');
    case 'boolean':
      return either({ type: ['boolean', 'null'] }, ref('placeholder'));
    case 'number':
      return either({ type: ['number', 'null'] }, ref('placeholder'));
    case 'texts':
      return either(texts, nothing, ref('placeholder'));
    case 'text-or-texts':
      return either(ref('text'), texts);
    case 'mapping':
      return either({ type: ['object', 'null'] }, ref('placeholder'));
    case 'anything':
    default:
      return {};
  }
}

function fieldsSchema(fields: Fields): Schema {
  return Object.fromEntries(
    [...fields].map(([key, { type, description }]) => [key, { ...fieldSchemas[type], description }]),
  );
}

const fieldSchemas: Readonly<Record<FieldType, Schema>> = {
  text: ref('text'),
  boolean: inputSchema('boolean'),
  mapping: inputSchema('mapping'),
  anything: {},
  'text-or-list': inputSchema('text-or-texts'),
  'mapping-or-list': either({ type: ['array', 'object', 'null'] }, ref('placeholder')),
  'integer-or-mapping': either({ type: ['integer', 'object', 'null'] }, ref('placeholder')),
  steps: ref('steps'),
  'work-pool': either(ref('work_pool'), nothing),
  deployments: either({ type: 'array', items: ref('deployment') }, nothing),
};
