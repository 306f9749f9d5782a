import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pullTargets } from './pull-commands.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

function commands(names: readonly string[], digests: readonly string[], platform: string): (readonly string[])[] {
  return pullTargets(names, digests, platform).map((target) => target.commands.map(({ text }) => text));
}

describe('pullTargets', () => {
  it('has a command for each tool', () => {
    expect(commands(['alpine:3.20'], [], 'linux/arm/v7')).toEqual([
      [
        'docker pull --platform linux/arm/v7 alpine:3.20',
        'podman pull --platform linux/arm/v7 docker.io/library/alpine:3.20',
        'nerdctl pull --platform linux/arm/v7 alpine:3.20',
        'ctr -n k8s.io images pull --platform linux/arm/v7 docker.io/library/alpine:3.20',
        'skopeo --override-os linux --override-arch arm --override-variant v7 copy docker://docker.io/library/alpine:3.20 docker-archive:alpine-3.20.tar:docker.io/library/alpine:3.20',
        'containers:\n  - name: alpine\n    image: docker.io/library/alpine:3.20',
        'boxwright pull --platform linux/arm/v7 alpine:3.20',
      ],
    ]);
  });

  it('pins digests', () => {
    const [target] = pullTargets([], [`example.com:5000/a/My_app@${digest}`.toLowerCase()], 'linux/amd64');
    expect(target?.pinned).toBe(true);
    const texts = target?.commands.map(({ text }) => text);
    expect(texts?.[0]).toBe(`docker pull --platform linux/amd64 example.com:5000/a/my_app@${digest}`);
    expect(texts?.[4]).toMatch(/ docker-archive:my-app\.tar:example\.com:5000\/a\/my_app:latest$/);
    expect(texts?.[5]).toBe(`containers:\n  - name: my-app\n    image: example.com:5000/a/my_app@${digest}`);
  });

  it('gives images of mirrors their own name', () => {
    const [first, other, mirror] = pullTargets(['a/b:1', 'a/b:2', 'mirror.example/x/a/b:1-linuxarm64'], [], '');
    expect([first?.isMirror, other?.isMirror, mirror?.isMirror]).toEqual([false, false, true]);
    expect(mirror?.commands[0]?.text).toBe(
      'docker pull mirror.example/x/a/b:1-linuxarm64\ndocker tag mirror.example/x/a/b:1-linuxarm64 a/b:1',
    );
  });

  it('leaves out names and platforms that a shell could misunderstand', () => {
    expect(commands(['a; rm -rf /', '$(id)', 'A`id`', ''], ['a@sha256:xyz'], 'linux/amd64')).toEqual([]);
    expect(commands(['a:1'], [], 'linux/amd64; reboot')[0]?.[0]).toBe('docker pull a:1');
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, platform) => {
        for (const target of commands([name, 'a:1'], [name], platform)) {
          for (const text of target) expect(text).toMatch(/^[A-Za-z0-9_./:@[\] \n-]+$/);
        }
      }),
    );
  });

  it('stops somewhere', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `a:${index}`);
    expect(pullTargets(names, [], '').length).toBeLessThan(10);
  });
});
