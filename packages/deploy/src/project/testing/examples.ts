/** Project files as the documentation of Prefect's steps has them. */
export const examples: ReadonlyMap<string, string> = new Map([
  ['nothing', '# only a comment\n'],
  [
    'build and push',
    `
build:
    - prefect_docker.deployments.steps.build_docker_image:
        id: build-image
        requires: prefect-docker
        image_name: repo-name/image-name
        tag: dev

push:
    - prefect_docker.deployments.steps.push_docker_image:
        requires: prefect-docker
        image_name: "{{ build-image.image_name }}"
        tag: "{{ build-image.tag }}"
`,
  ],
  [
    'several tags and credentials',
    `
build:
    - prefect_docker.deployments.steps.build_docker_image:
        id: build-image
        requires: prefect-docker
        image_name: repo-name/image-name
        tag: dev
        dockerfile: auto
        additional_tags: [
            v0.1.0,
            dac9ccccedaa55a17916eef14f95cc7bdd3c8199
        ]
push:
    - prefect_docker.deployments.steps.push_docker_image:
        requires: prefect-docker
        image_name: "{{ build-image.image_name }}"
        tag: "{{ build-image.tag }}"
        credentials: "{{ prefect.blocks.docker-registry-credentials.dev-registry }}"
        additional_tags: "{{ build-image.additional_tags }}"
`,
  ],
  [
    'a persisted Dockerfile for a platform',
    `
build:
  - prefect_docker.deployments.steps.build_docker_image:
      requires: prefect-docker
      image_name: repo-name/image-name
      tag: 1.10
      dockerfile: auto
      platform: amd64
      persist_dockerfile: true
      dockerfile_output_path: Dockerfile.generated
`,
  ],
  [
    'deployments with definitions',
    `
name: project
prefect-version: 3.4.0
build: null
definitions:
  pool: &pool
    name: docker
    work_queue_name: null
    job_variables:
      image: "{{ build-image.image }}"
  build: &build
    - build_docker_image:
        id: build-image
        image_name: app
        labels: {a: b}
pull:
  - prefect.deployments.steps.set_working_directory:
      directory: /opt/prefect/app
deployments:
  - name: first
    version: 1.0
    tags: [a, "x-{{ build-image.tag }}"]
    schedules:
      - cron: "0 0 * * *"
        timezone: UTC
    concurrency_limit: 3
    entrypoint: flows.py:main
    parameters: {x: 1}
    work_pool: *pool
    build: *build
    push: []
  - name: second
    work_pool:
      <<: *pool
      name: other
    build: null
    push:
`,
  ],
]);
