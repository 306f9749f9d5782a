import { describe, expect, it } from 'vitest';
import { MountError, parseRunMount, previewRunMount } from './run-mount.ts';

const asIs = (value: string): string => value;

describe('parseRunMount', () => {
  it.each([
    ['target=/r', { type: 'bind', target: '/r', readonly: true }],
    ['type=bind,source=a,dst=/r,rw', { type: 'bind', source: 'a', target: '/r', readonly: false }],
    [
      'type=bind,src=a,destination=/r,readonly=false,from=b',
      { type: 'bind', source: 'a', target: '/r', readonly: false, from: 'b' },
    ],
    ['TYPE=Cache,TARGET=/R', { type: 'cache', target: '/R', readonly: false }],
    ['type=cache,target=/r,ro', { type: 'cache', target: '/r', readonly: true }],
    [
      'type=cache,target=/r,id=x,sharing=LOCKED,mode=0755,uid=1,gid=2',
      { type: 'cache', target: '/r', id: 'x', sharing: 'locked', mode: 0o755, uid: 1, gid: 2, readonly: false },
    ],
    ['type=tmpfs,target=/r,size=1.5m', { type: 'tmpfs', target: '/r', size: 1_572_864, readonly: false }],
    ['type=secret,id=x', { type: 'secret', id: 'x', readonly: true }],
    [
      'type=secret,id=x,required,env=FOO,mode=0400',
      { type: 'secret', id: 'x', required: true, env: 'FOO', mode: 0o400, readonly: true },
    ],
    ['type=secret,source=y,required=f', { type: 'secret', source: 'y', required: false, readonly: true }],
    ['type=ssh', { type: 'ssh', readonly: true }],
    ['type=ssh,required=true', { type: 'ssh', required: true, readonly: true }],
    ['type=bind,"target=/r,a"', { type: 'bind', target: '/r,a', readonly: true }],
    ['type=bind,"target=/r""a"', { type: 'bind', target: '/r"a', readonly: true }],
    ['type=bind,target=/r,readwrite=0', { type: 'bind', target: '/r', readonly: true }],
    ['type=bind,target=a=b', { type: 'bind', target: 'a=b', readonly: true }],
  ])('%s', (text, expected) => {
    expect(parseRunMount(text, asIs)).toEqual(expected);
  });

  it.each([
    ['', 'comma-separated'],
    ['type=foo,target=/r', 'unknown mount type "foo"'],
    ['type=bidn,target=/r', 'did you mean bind?'],
    ['typ=cache', 'did you mean type?'],
    ['type=bind,foo', '"foo" has no value'],
    ['type=bind,', '"" has no value'],
    ['type=bind,rw=x', 'cannot be "x"'],
    ['type=cache,size=1m', 'not for type cache'],
    ['size=1m,type=tmpfs', 'not for type bind'],
    ['type=tmpfs,size=foo', 'cannot be "foo"'],
    ['type=tmpfs,mode=755', 'not for type tmpfs'],
    ['type=bind,uid=1', 'not for type bind'],
    ['type=cache,mode=999', 'cannot be "999"'],
    ['type=cache,uid=-1', 'cannot be "-1"'],
    ['type=cache,gid=4294967296', 'cannot be'],
    ['type=cache,sharing=foo', 'unknown sharing "foo"'],
    ['type=bind,sharing=shared', 'not for type bind'],
    ['type=secret', 'needs an id'],
    ['type=secret,id=x,source=y', 'not both'],
    ['type=secret,id=x,from=y', 'no from'],
    ['type=secret,id=x,sharing=shared', 'no sharing'],
    ['type=secret,id=x,required=maybe', 'cannot be "maybe"'],
    ['required,type=secret,id=x', 'not for type bind'],
    ['type=bind,tar"get=/r', 'a quote inside'],
    ['type=bind,"target=/r', 'does not end'],
    ['"type=bind"x', 'does not end'],
  ])('refuses %j', (text, message) => {
    expect(() => parseRunMount(text, asIs)).toThrow(MountError);
    expect(() => parseRunMount(text, asIs)).toThrow(message);
  });

  it('expands values, not keys', () => {
    const seen: string[] = [];
    parseRunMount('type=cache,target=$a,ro', (value) => {
      seen.push(value);
      return value.replace('$a', '/x');
    });
    expect(seen).toEqual(['cache', '$a']);
  });
});

describe('previewRunMount', () => {
  it('leaves mistakes for later, but not in from', () => {
    expect(previewRunMount('type=$t,from=a,target=/r')).toEqual({ type: 'bind', readonly: true, from: 'a' });
    expect(previewRunMount('type=foo,target=/r')).toEqual({ type: 'bind', readonly: true });
    expect(() => previewRunMount('from=$x')).toThrow(MountError);
    expect(() => previewRunMount('')).toThrow(MountError);
  });
});
