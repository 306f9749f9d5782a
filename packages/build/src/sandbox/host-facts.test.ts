import { describe, expect, it } from 'vitest';
import { capabilitiesToKeep, cgroupMounts } from './host-facts.ts';

describe('cgroupMounts', () => {
  it('knows version 2', () => {
    expect(cgroupMounts('30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n')).toEqual({
      version: 2,
    });
  });

  it('lists the hierarchies of version 1', () => {
    const text = [
      '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
      '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
      '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,release_agent=/x,name=systemd',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    ].join('\n');
    const hierarchies = [
      { name: 'cpu,cpuacct', options: 'cpu,cpuacct' },
      { name: 'systemd', options: 'name=systemd' },
    ];
    expect(cgroupMounts(text)).toEqual({ version: 1, hierarchies });
  });

  it('does without', () => {
    expect(cgroupMounts('22 27 0:21 / /proc rw - proc proc rw')).toEqual({ version: 0 });
  });
});

describe('capabilitiesToKeep', () => {
  it('keeps what is in both sets and among the defaults of Docker', () => {
    const status = (permitted: string, bounding: string): string =>
      `Name:\tx\nCapPrm:\t${permitted}\nCapEff:\t0\nCapBnd:\t${bounding}\n`;
    expect(capabilitiesToKeep(status('000001ffffffffff', '000001ffffffffff'))).toBe(0xa80425fbn);
    expect(capabilitiesToKeep(status('000001ffffffffff', '0000000000000003'))).toBe(3n);
    expect(capabilitiesToKeep('')).toBe(0n);
  });
});
