import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';

/** The content types of assets, by the ends of their names. */
const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  webp: 'image/webp',
};

/** Images in these forms are compressed already. */
const COMPRESSED = ['png', 'webp'];

/** A file that pages load, with its compressed forms once a browser has asked for them. */
export interface Asset {
  type: string;
  plain: Buffer;
  br?: Buffer;
  gzip?: Buffer;
}

const COMPRESS = { br: brotliCompressSync, gzip: gzipSync };

/**
 * The files that pages load. The name of a file contains a hash of its content. So a browser may keep it forever,
 * and a page never gets a file of another version.
 */
@Injectable()
export class Assets {
  private readonly files = new Map<string, Asset>();
  /** The paths of modules by their files: several pages load one module. */
  private readonly modules = new Map<string, string>();

  /** Adds a file. Returns its path, `/assets/<name>.<hash>.<kind>`. */
  add(name: string, kind: string, content: string | Buffer): string {
    const plain = Buffer.from(content);
    const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 12);
    const file = `${name}.${hash}.${kind}`;
    this.files.set(file, { type: TYPES[kind] ?? 'application/octet-stream', plain });
    return `/assets/${file}`;
  }

  /** Adds a module for browsers, `<name>.browser.ts` beside the module at `base` (`import.meta.url`). Returns its path. */
  addModule(name: string, base: string): string {
    const file = fileURLToPath(new URL(`./${name}.browser.js`, base));
    const known = this.modules.get(file);
    if (known !== undefined) return known;
    const code = readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
    const path = this.add(name, 'js', code);
    this.modules.set(file, path);
    return path;
  }

  /** Returns a file by its name in the path. */
  find(file: string): Asset | undefined {
    return this.files.get(file);
  }

  /** Returns the content in a form that the client accepts, and the name of that form; undefined for the plain one. */
  encode(asset: Asset, accepted = ''): { encoding?: 'br' | 'gzip'; content: Buffer } {
    const isSmall = COMPRESSED.some((kind) => asset.type === TYPES[kind]);
    const encoding = (['br', 'gzip'] as const).find((name) => accepts(accepted, name));
    if (isSmall || !encoding) return { content: asset.plain };
    return { encoding, content: (asset[encoding] ??= COMPRESS[encoding](asset.plain)) };
  }
}

/** Tells whether an `Accept-Encoding` header names a coding, and does not refuse it (RFC 9110, section 12.5.3). */
const accepts = (header: string, name: string): boolean =>
  header
    .slice(0, 1_000)
    .split(',')
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .some(([coding, weight]) => coding === name && !/^q=0(\.0*)?$/.test(weight ?? ''));
