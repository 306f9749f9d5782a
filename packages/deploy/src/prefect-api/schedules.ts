import {
  describeNode,
  LocatedError,
  type PlainObject,
  type PlainValue,
  plainEntries,
  type YamlNode,
} from '../yaml/index.ts';

/** Fields that stand beside the schedule itself. */
const besides = ['active', 'parameters', 'slug', 'max_scheduled_runs'];
/** What tells the kinds of schedules apart. */
const kinds = ['cron', 'interval', 'rrule'];
const fields = [...kinds, 'timezone', 'anchor_date', 'day_or'];

/**
 * Schedules as the API has them: `{active, schedule: {cron, timezone}, parameters, slug}`. A file has them flat, one or a
 * list.
 *
 * @throws LocatedError REGISTRATION_INVALID
 */
export function apiSchedules(node: YamlNode): readonly PlainObject[] {
  const items = node.kind === 'sequence' ? node.items : [node];
  return items.map(apiSchedule).filter((schedule) => schedule !== undefined);
}

function apiSchedule(node: YamlNode): PlainObject | undefined {
  if (node.kind !== 'mapping') throw invalid(node, `a schedule must be a mapping, not ${describeNode(node)}`);
  const values = plainEntries(node);
  if (Object.keys(values).length === 0) return undefined;
  const kind = kinds.filter((name) => values[name] !== undefined && values[name] !== null);
  if (kind.length !== 1) throw invalid(node, 'a schedule has one of cron, interval and rrule');
  const schedule: Record<string, PlainValue> = Object.create(null);
  for (const name of fields) {
    const value = values[name];
    if (value !== undefined && value !== null) schedule[name] = value;
  }
  if (schedule['interval'] !== undefined) schedule['interval'] = Number(schedule['interval']);
  const result: Record<string, PlainValue> = Object.create(null);
  result['active'] = true;
  for (const name of besides) {
    const value = values[name];
    if (value !== undefined && value !== null) result[name] = value;
  }
  result['schedule'] = schedule;
  return result;
}

function invalid(node: YamlNode, reason: string): LocatedError {
  return new LocatedError('REGISTRATION_INVALID', node.range, reason, {
    hint: "For example {cron: '0 0 * * *', timezone: UTC}.",
  });
}
