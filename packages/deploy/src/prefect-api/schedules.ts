import { findPlaceholders } from '../template/index.ts';
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
  if (schedule['interval'] !== undefined) {
    const seconds = Number(schedule['interval']);
    if (!(Number.isFinite(seconds) && seconds > 0))
      throw invalid(node, 'the interval of a schedule is a number of seconds');
    schedule['interval'] = seconds;
  }
  const result: Record<string, PlainValue> = Object.create(null);
  result['active'] = true;
  for (const name of besides) {
    const value = values[name];
    if (value !== undefined && value !== null) result[name] = value;
  }
  result['schedule'] = schedule;
  return result;
}

/**
 * Looks at schedules as they are written, with placeholders in them: a server takes schedules with and without slugs only once, and refuses
 * them when the deployment is there.
 *
 * @throws LocatedError REGISTRATION_INVALID
 */
export function checkSchedules(node: YamlNode): void {
  if (findPlaceholders(node).length === 0) apiSchedules(node);
  const items = node.kind === 'sequence' ? node.items : [node];
  const slugs = items.map((item) => item.kind === 'mapping' && item.entries.has('slug'));
  if (slugs.includes(true) && slugs.includes(false)) {
    throw invalid(node, 'all of the schedules have a slug, or none');
  }
}

function invalid(node: YamlNode, reason: string): LocatedError {
  return new LocatedError('REGISTRATION_INVALID', node.range, reason, {
    hint: "For example {cron: '0 0 * * *', timezone: UTC}.",
  });
}
