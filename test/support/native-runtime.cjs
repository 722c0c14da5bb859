const { join, relative } = require('node:path');
const process = require('node:process');
const { pathToFileURL } = require('node:url');
const { default: Runtime } = require('jest-runtime');

/** What `expect.any` takes. The matchers run in Jest's sandbox, and would compare with the sandbox's own. */
const TYPES = [Array, BigInt, Boolean, Function, Number, Object, String, Symbol];

/** Counts the loaded test files of this process. One that runs on both databases is loaded for each. */
let loaded = 0;

// Node frees every object of a process that ends by itself. With all these modules that takes longer than the
// half second that Jest waits for a worker, and it would warn of one that does not end.
process.once('beforeExit', () => process.exit());

/**
 * Loads the compiled test files into Node itself, and not into a sandbox for each file. A process loads the
 * server's modules and its packages once this way. To load them for every file took a third of the tests' time.
 * So a module keeps its state from one test file to the next, and a helper cannot register hooks for each file.
 */
module.exports = class NativeRuntime extends Runtime {
  constructor(config, environment, ...rest) {
    super(config, environment, ...rest);
    const { constructor: Timers } = environment.fakeTimersModern;
    environment.fakeTimersModern = new Timers({ config, global: globalThis });
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  async unstable_importModule(file) {
    const { globals, rootDir } = this._config;
    for (const type of TYPES) this._environment.global[type.name] = type;
    Object.assign(globalThis, globals, this.jestGlobals.cjsGlobals(file));
    const compiled = join(rootDir, 'dist', relative(rootDir, file).replace(/\.ts$/, '.js'));
    await import(`${pathToFileURL(compiled)}?loaded=${++loaded}`);
  }
};
