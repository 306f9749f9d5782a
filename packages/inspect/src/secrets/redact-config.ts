import { type ContainerConfig, type ImageConfig, isJsonObject, type JsonObject, type JsonValue } from '@boxwright/oci';
import { imageSecrets } from './image-secrets.ts';
import type { Redactor } from './redactor.ts';

/**
 * The config with all secrets taken out of history, environment, labels and commands, and out of every other text of
 * the document; for showing. `raw` stays as it is: its digest is the image ID.
 */
export function redactConfig(config: ImageConfig, redactor: Redactor = imageSecrets(config).redactor): ImageConfig {
  return {
    ...config,
    ...(config.author === undefined ? {} : { author: redactor.text(config.author) }),
    config: redactSettings(config.config, redactor),
    history: config.history.map(({ createdBy, comment, author, ...entry }) => ({
      ...entry,
      ...(createdBy === undefined ? {} : { createdBy: redactor.text(createdBy) }),
      ...(comment === undefined ? {} : { comment: redactor.text(comment) }),
      ...(author === undefined ? {} : { author: redactor.text(author) }),
    })),
    json: redactObject(config.json, redactor),
  };
}

function redactSettings(settings: ContainerConfig, redactor: Redactor): ContainerConfig {
  const { Healthcheck: check } = settings;
  return {
    ...settings,
    Env: redactor.words(settings.Env),
    Cmd: redactor.words(settings.Cmd),
    Entrypoint: redactor.words(settings.Entrypoint),
    OnBuild: redactor.words(settings.OnBuild),
    Labels: new Map(Array.from(settings.Labels, ([name, value]) => [name, redactor.value(name, value)])),
    ...(check === undefined ? {} : { Healthcheck: { ...check, Test: redactor.words(check.Test) } }),
  };
}

/** Members that cannot be secrets and must stay what they are: digests and times. */
const plainMembers: ReadonlySet<string> = new Set(['rootfs', 'created', 'architecture', 'os', 'variant']);

function redactObject(object: JsonObject, redactor: Redactor): JsonObject {
  return new Map(
    Array.from(object, ([name, value]) => [name, plainMembers.has(name) ? value : redactMember(name, value, redactor)]),
  );
}

function redactMember(name: string, value: JsonValue, redactor: Redactor): JsonValue {
  return typeof value === 'string' ? redactor.value(name, value) : redactValue(value, redactor);
}

function redactValue(value: JsonValue, redactor: Redactor): JsonValue {
  if (typeof value === 'string') return redactor.text(value);
  if (isJsonObject(value)) return redactObject(value, redactor);
  if (!Array.isArray(value)) return value;
  const texts = value.filter((item) => typeof item === 'string');
  if (texts.length === value.length) return redactor.words(texts);
  return value.map((item: JsonValue) => redactValue(item, redactor));
}
