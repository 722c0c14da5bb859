import { GOOD_PASSWORD } from './server.js';

/** The part of a JSON schema that {@link randomValues} understands. */
export interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  nullable?: boolean;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  allOf?: Schema[];
  [key: string]: unknown;
}

/** A small generator of the same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const ODD = [
  ...['', ' ', '\0', '%', '../..', '🙂', '\ud800', "' OR 1=1 --"],
  ...['x'.repeat(300), '-1', '1e9'],
];

/** Makes values as schemas describe them, and now and then some that they do not allow. */
export function randomValues(seed: number, components: () => Record<string, Schema>) {
  const next = random(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const chance = (share: number): boolean => next() < share;

  const anything = (): unknown =>
    pick<unknown>([null, true, 0, -1.5, 1e300, [], [[]], {}, { a: {} }, ...ODD]);

  /** A value for `schema`, or one time in ten any other. */
  function value(schema: Schema, depth = 0): unknown {
    if (chance(0.1)) return anything();
    if (schema.$ref !== undefined) {
      return value(components()[schema.$ref.split('/').at(-1) ?? ''] ?? {}, depth);
    }
    if (schema.allOf) {
      return Object.assign({}, ...schema.allOf.map((part) => value(part, depth))) as unknown;
    }
    if (schema.nullable && chance(0.2)) return null;
    if (schema.enum) return pick(schema.enum);
    switch (schema.type) {
      case 'object': {
        const fields: Record<string, unknown> = {};
        for (const [name, field] of Object.entries(schema.properties ?? {})) {
          const wanted = schema.required?.includes(name) ? 0.95 : 0.5;
          if (chance(wanted)) fields[name] = value(field, depth + 1);
        }
        return fields;
      }
      case 'array':
        return Array.from({ length: Math.floor(next() * 4) }, () =>
          value(schema.items ?? {}, depth),
        );
      case 'integer':
      case 'number':
        return Math.floor(next() * 200) - 50;
      case 'boolean':
        return chance(0.5);
      default:
        return pick([
          `user-${Math.floor(next() * 50)}`,
          `u${Math.floor(next() * 50)}@example.org`,
          GOOD_PASSWORD,
          '2030-01-31T12:00:00Z',
          '3f2b9c1e-5d64-4a7e-9b0a-1c2d3e4f5a6b',
          ...ODD,
        ]);
    }
  }

  /** A value for `schema` as a part of a path or a query. */
  const text = (schema: Schema): string => {
    const made = value(schema);
    return encodeURIComponent(
      (typeof made === 'string' ? made : JSON.stringify(made)).toWellFormed(),
    );
  };

  return { chance, value, text };
}
