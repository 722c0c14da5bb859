/** Whether a file is a source of the server, or a module for browsers. */
export const isSource = (file) =>
  /(?<!\.(spec|fixture))\.([jt]s|tsx)$/.test(file) && !file.endsWith('.d.ts');

/** Returns the path of the compiled file of a source. */
export const compiledName = (file) => `dist/${file.replace(/\.tsx?$/, '.js')}`;
