export * from './prefect-api/index.ts';
export * from './project/index.ts';
export * from './run/index.ts';
export * from './steps/index.ts';
export * from './template/index.ts';
export * from './variables/index.ts';
export * from './yaml/index.ts';
