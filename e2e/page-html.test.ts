import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { boxwrightOk } from './support/boxwright.ts';
import { Browser, chromiumPath, type View } from './support/chromium.ts';
import { strict } from './support/environment.ts';
import { makeScene, missingBases, type Scene } from './support/scene.ts';
import { removeTemporaryDirectoriesAfterEach } from './support/temporary.ts';

removeTemporaryDirectoriesAfterEach();

/** Every text is as unpleasant to lay out, or to escape, as an image can make it. */
const unbroken = 'x'.repeat(400);
const dockerfile = `FROM e2e/busybox:1
LABEL org.opencontainers.image.description="<script>document.title='broken in'</script>" \\
      org.opencontainers.image.url="javascript:document.title='broken in'" \\
      org.opencontainers.image.source="https://example.com/a/b?c=d&e=f" \\
      long="${unbroken}"
ENV LONG=${unbroken} HTML="<img src=x onerror=alert(1)>"
COPY big /srv/data/big
COPY small /srv/data/${unbroken.slice(0, 200)}
COPY small /srv/data/big
EXPOSE 80
CMD ["/bin/sh", "-c", "echo '</code>'; ${unbroken}"]
`;

const files = { Dockerfile: dockerfile, big: 'b'.repeat(3_000_000), small: 's'.repeat(400_000) };

const chromium = chromiumPath();
if (chromium === undefined && !strict) console.log('end-to-end: no chromium on PATH: HTML pages are not looked at');

const views: readonly View[] = [
  { width: 1280, height: 900, scheme: 'light' },
  { width: 1280, height: 900, scheme: 'dark' },
  { width: 800, height: 900, scheme: 'light' },
  { width: 390, height: 844, scheme: 'light' },
  { width: 390, height: 844, scheme: 'dark' },
];

/**
 * Elements that stick out of the window, unless they are in something that scrolls or cuts: `[tag, class, right end]`.
 */
const overflowing = `[...document.querySelectorAll('body *')].filter((element) => {
  if (element.closest('nav ul, .scroll, .treemap, .skip') !== null) return false;
  const box = element.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map((element) => [element.tagName, element.getAttribute('class'), element.getBoundingClientRect().right].join(' '))`;

/** Contrast of a text with the page behind it, by WCAG 2.2, "contrast ratio". */
const contrasts = `(() => {
  const channels = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = (text) => {
    const [r, g, b] = channels(text).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const low = new Set();
  for (const element of document.querySelectorAll('body *:not(svg *)')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!hasText || element.closest('svg') !== null) continue;
    const pair = [luminance(getComputedStyle(element).color), luminance(background(element))].sort();
    const ratio = (pair[1] + 0.05) / (pair[0] + 0.05);
    if (ratio < 4.5) low.add(element.tagName + '.' + element.className + ' ' + ratio.toFixed(2));
  }
  return [...low];
})()`;

/** Width and height of a PNG (W3C PNG, "IHDR"). */
function pngSize(png: Buffer): readonly [width: number, height: number] {
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

describe.skipIf(missingBases() !== undefined || (chromium === undefined && !strict))('an HTML page in Chromium', () => {
  let profile: string;
  let browser: Browser;

  beforeAll(async () => {
    profile = mkdtempSync(join(inject('workDirectory'), 'chromium-'));
    browser = await Browser.start(chromium ?? 'chromium', profile);
  });

  afterAll(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  });

  async function pageOf(language: 'zh' | 'en', ...flags: readonly string[]): Promise<{ url: string; scene: Scene }> {
    const scene = await makeScene(files);
    await boxwrightOk(scene.home, ['build', '--quiet', '--tag', 'example.com/team/app:1', scene.context]);
    const file = join(scene.directory, 'app.html');
    await boxwrightOk(scene.home, ['page', '--lang', language, ...flags, '--html', file, 'example.com/team/app:1']);
    return { url: pathToFileURL(file).href, scene };
  }

  it.each(['zh', 'en'] as const)('fits wide and narrow windows, light and dark, in %s', async (language) => {
    const { url } = await pageOf(language);
    const backgrounds = new Map<string, unknown>();
    for (const view of views) {
      await browser.open(url, view);
      const name = `${view.width} ${view.scheme}`;
      expect([name, browser.messages]).toEqual([name, []]);
      expect([name, await browser.evaluate('document.documentElement.scrollWidth')]).toEqual([name, view.width]);
      // Also what is folded has to fit.
      await browser.evaluate(`document.querySelectorAll('details').forEach((element) => { element.open = true })`);
      expect([name, await browser.evaluate(overflowing)]).toEqual([name, []]);
      expect([name, await browser.evaluate(contrasts)]).toEqual([name, []]);
      const shown = `[...document.querySelectorAll('svg.treemap')].filter((map) => map.getBoundingClientRect().width > 0).length`;
      expect([name, await browser.evaluate(shown)]).toEqual([name, 1]);
      const picture = await browser.screenshot();
      expect([name, pngSize(picture)]).toEqual([name, [view.width, view.height]]);
      // A page that shows nothing is one colour, which takes a few hundred bytes.
      expect(picture.length).toBeGreaterThan(15_000);
      backgrounds.set(view.scheme, await browser.evaluate('getComputedStyle(document.body).backgroundColor'));
    }
    expect(backgrounds.get('light')).not.toBe(backgrounds.get('dark'));
    const title = String(await browser.evaluate('document.title'));
    expect(title).toBe('example.com/team/app:1');
  });

  it('draws what is in the image, and runs nothing of it', async () => {
    const { url } = await pageOf('en');
    await browser.open(url, { width: 1280, height: 900, scheme: 'light' });
    expect(await browser.evaluate('document.scripts.length + document.images.length')).toBe(0);
    const text = String(await browser.evaluate('document.body.innerText'));
    for (const part of ["<script>document.title='broken in'</script>", '<img src=x onerror=alert(1)>', unbroken]) {
      expect(text).toContain(part);
    }
    const links = await browser.evaluate(`[...new Set([...document.links].map((link) => link.protocol))].sort()`);
    expect(links).toEqual(['file:', 'https:']); // those inside the page, and the source
    const boxes = `[...document.querySelectorAll('svg.treemap.wide title')].map((title) => title.textContent)`;
    expect(await browser.evaluate(boxes)).toContainEqual(expect.stringMatching(/^\/srv\/data\/big \(400\.00KB, /));
    // The file that was replaced is waste.
    expect(text).toMatch(/\/srv\/data\/big\s+2\s+3\.40MB/);
    expect(text).toMatch(/FROM e2e\/busybox:1/);
  });

  it('selects a command with one click', async () => {
    const { url } = await pageOf('en');
    await browser.open(url, { width: 1280, height: 900, scheme: 'light' });
    await browser.click('#pull dd code');
    expect(await browser.evaluate('getSelection().toString()')).toBe(
      'docker pull --platform linux/amd64 example.com/team/app:1',
    );
  });

  it('is the same file each time, and shows nothing of layers that were not read', async () => {
    const { scene } = await pageOf('en', '--no-sizes', '--time-zone', 'UTC');
    const again = join(scene.directory, 'again.html');
    const flags = ['--lang', 'en', '--no-sizes', '--time-zone', 'UTC'];
    await boxwrightOk(scene.home, ['page', ...flags, '--html', again, 'example.com/team/app:1']);
    const first = readFileSync(join(scene.directory, 'app.html'), 'utf8');
    expect(readFileSync(again, 'utf8')).toBe(first);
    expect(first).not.toContain('id="waste"');
    expect(first).toContain('size unknown');
  });
});
