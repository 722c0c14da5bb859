import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

it('loads the drivers of other databases, and OpenTelemetry, when a project uses them', async () => {
  const code = `
    await import(${JSON.stringify(pathToFileURL(resolve('dist/src/common/late-packages.js')).href)});
    const { DataSource } = await import('typeorm');
    const { Counter } = await import('prom-client');
    const { createRequire } = await import('node:module');
    const { cache } = createRequire(resolve('package.json'));
    const loaded = (part) => Object.values(cache).some((one) => one.filename.includes(part) && one.children.length > 0);
    const told = () => ['/SqliteDriver.js', '/OracleDriver.js', '@opentelemetry/api/'].map(loaded);
    const before = told();
    let said;
    try { new DataSource({ type: 'oracle' }); } catch (error) { said = error.name; }
    const { trace } = await import('@opentelemetry/api');
    console.log(JSON.stringify({ before, said, tracer: typeof trace.getTracer('a'), after: told() }));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { resolve } from 'node:path';${code}`,
  ]);
  expect(JSON.parse(stdout)).toEqual({
    before: [true, false, false],
    said: 'DriverPackageNotInstalledError',
    tracer: 'object',
    after: [true, true, true],
  });
});
