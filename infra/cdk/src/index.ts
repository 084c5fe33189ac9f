export * from './project';
export * from './project-base';
export * from './props';
