import { describe, expect, it } from 'vitest';
import { linked, safeUrl } from './safe-link.ts';

describe('safeUrl', () => {
  it.each([
    ['https://example.com/a?b=c#d', 'https://example.com/a?b=c#d'],
    ['HTTP://EXAMPLE.com', 'http://example.com/'],
    ['https://例え.jp/路径', 'https://xn--r8jz45g.jp/%E8%B7%AF%E5%BE%84'],
  ])('takes %s', (text, url) => {
    expect(safeUrl(text)).toBe(url);
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'ftp://example.com/',
    '//example.com/',
    '/path',
    'example.com',
    ' https://example.com/',
    'https://example.com/ and more',
    'https://example.com/\u0000',
    'https://user@example.com/',
    'https://good.example:pass@evil.example/',
    'https://',
    'https:///',
    `https://example.com/${'a'.repeat(3000)}`,
    '',
  ])('refuses %j', (text) => {
    expect(safeUrl(text)).toBeUndefined();
  });
});

describe('linked', () => {
  it('escapes what it links, and what it does not', () => {
    expect(linked('https://example.com/"><script>').markup).toBe(
      '<a href="https://example.com/%22%3E%3Cscript%3E" rel="noopener noreferrer nofollow">https://example.com/&quot;&gt;&lt;script&gt;</a>',
    );
    expect(linked('<b>').markup).toBe('&lt;b&gt;');
  });
});
