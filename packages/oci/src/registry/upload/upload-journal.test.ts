import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openUploadJournal, type UploadRecord } from './upload-journal.ts';

const repository = { registry: 'registry.example:5000', path: 'team/app' };
const content = `sha256:${'a'.repeat(64)}`;
const record: UploadRecord = {
  location: new URL('https://registry.example:5000/v2/team/app/blobs/uploads/1?_state=x%3D%3D'),
  accepted: 1024,
  minChunk: 0,
  prefix: `sha256:${'b'.repeat(64)}`,
};

let parent: string;
let directory: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'boxwright-journal-'));
  directory = join(parent, 'uploads');
});

afterEach(() => rmSync(parent, { recursive: true }));

/** Leaves a note as a process that was killed does; returns its path. */
function leave(changes: object = {}): string {
  const entry = openUploadJournal(directory).claim(repository, content);
  entry.save({ ...record, ...changes });
  entry.release();
  const [name = ''] = readdirSync(directory);
  const dead = name.replace(/^free-/, '1-1-000000000000-');
  renameSync(join(directory, name), join(directory, dead));
  age(join(directory, dead), 16 * 60);
  return join(directory, dead);
}

function age(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
}

function found(): UploadRecord | undefined {
  return openUploadJournal(directory).claim(repository, content).found;
}

describe('the journal of uploads', () => {
  it('makes its directory when there is something to note', () => {
    const entry = openUploadJournal(directory).claim(repository, content);
    expect(readdirSync(parent)).toEqual([]);
    entry.save(record);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    entry.remove();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('gives a note to the next one, once', () => {
    const path = leave();
    expect(found()).toEqual(record);
    expect(found()).toBeUndefined();
    expect(readdirSync(directory)).toHaveLength(1);
    expect(readdirSync(directory)).not.toContain(path);
  });

  it('keeps uploads of other content and to other repositories apart', () => {
    leave();
    const journal = openUploadJournal(directory);
    expect(journal.claim(repository, 'other').found).toBeUndefined();
    expect(journal.claim({ ...repository, path: 'team/other' }, content).found).toBeUndefined();
    expect(journal.claim({ ...repository, registry: 'other.example' }, content).found).toBeUndefined();
  });

  it('leaves what a running process works on', () => {
    const entry = openUploadJournal(directory).claim(repository, content);
    entry.save(record);
    expect(found()).toBeUndefined();
    entry.release();
    expect(found()).toEqual(record);
  });

  it('waits a while for processes that cannot be asked', () => {
    const path = leave();
    age(path, 10 * 60);
    expect(found()).toBeUndefined();
    age(path, 16 * 60);
    expect(found()).toEqual(record);
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"version":1,"reg'],
    ['something else', '[1, 2]'],
    ['a location that is none', { location: 'file:///etc/passwd' }],
    ['an offset that is none', { accepted: -1 }],
    ['another repository', { repository: 'team/other' }],
    ['too much', ' '.repeat(100_000)],
  ])('drops notes that hold %s', (_, text) => {
    const path = leave();
    const whole = {
      version: 1,
      registry: repository.registry,
      repository: repository.path,
      content,
      location: record.location.href,
      accepted: 1,
      minChunk: 0,
    };
    const body = typeof text === 'string' ? text : JSON.stringify({ ...whole, ...text });
    writeFileSync(path, body);
    age(path, 3600);
    expect(found()).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('drops notes after a week, and what killed processes were writing', () => {
    const path = leave();
    writeFileSync(`${path}.tmp`, 'x');
    age(path, 8 * 24 * 3600);
    age(`${path}.tmp`, 8 * 24 * 3600);
    openUploadJournal(directory).claim(repository, 'another');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('does without where it cannot write', () => {
    mkdirSync(parent, { recursive: true });
    writeFileSync(directory, 'a file');
    const entry = openUploadJournal(directory).claim(repository, content);
    entry.save(record);
    entry.release();
    entry.remove();
    expect(entry.found).toBeUndefined();
  });
});
