import { describe, expect, it } from 'vitest';
import { stepImage, taggedName } from './image-name.ts';

describe('stepImage', () => {
  it('keeps the name as written', () => {
    const image = stepImage({ imageName: 'repo-name/image-name', tag: 'dev', additionalTags: ['a', 'b', 'a'] }, {});
    expect(image).toMatchObject({ name: 'repo-name/image-name', tag: 'dev', additionalTags: ['a', 'b'] });
    expect(taggedName(image, 'b')).toBe('docker.io/repo-name/image-name:b');
  });

  it('takes a tag out of the name', () => {
    expect(stepImage({ imageName: 'localhost:5000/a/b:1.0' }, {})).toMatchObject({
      name: 'localhost:5000/a/b',
      tag: '1.0',
    });
    expect(stepImage({ imageName: 'a/b:1.0', tag: '1.0' }, {}).tag).toBe('1.0');
    expect(stepImage({ imageName: 'a/b', tag: '' }, {}).tag).toBeUndefined();
  });

  it('puts the default namespace before a bare name', () => {
    const env = {
      PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE: 'registry.example.com/team/',
      PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE: 'old',
    };
    expect(stepImage({ imageName: 'app' }, env).name).toBe('registry.example.com/team/app');
    expect(stepImage({ imageName: 'x/app' }, env).name).toBe('x/app');
  });

  it.each<[Parameters<typeof stepImage>[0], string]>([
    [{ imageName: 'my image' }, 'image_name'],
    [{ imageName: 'Team/App' }, 'image_name'],
    [{ imageName: '' }, 'image_name'],
    [{ imageName: `a/b@sha256:${'0'.repeat(64)}` }, 'image_name'],
    [{ imageName: 'a/b:1', tag: '2' }, 'tag'],
    [{ imageName: 'a/b', tag: 'x'.repeat(129) }, 'tag'],
    [{ imageName: 'a/b', tag: '-x' }, 'tag'],
    [{ imageName: 'a/b', tag: '1', additionalTags: ['v0.1.0,'] }, 'additional_tags'],
  ])('refuses %j', (options, input) => {
    expect(() => stepImage(options, {})).toThrowError(
      expect.objectContaining({ code: 'REFERENCE_INVALID', details: expect.objectContaining({ input }) }),
    );
  });
});
