import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ComponentChildren } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { readTextFile } from '../common/text-file.js';
import { Config } from '../config/config.js';
import { Assets } from './assets.js';
import { brandStyles } from './brand-colors.js';
import { HTML_SETTINGS } from './html.settings.js';
import { type Brand, Layout, type PageFrame } from './layout.js';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const STYLES = fileURLToPath(new URL('../../templates/pages/style.css', import.meta.url));

/** Renders pages in the operator's look, and sends them with the headers that keep them safe. */
@Injectable()
export class Documents {
  /** The paths of modules for pages with a field for a new password. Rooms add their own. */
  readonly newPasswordScripts: string[] = [];
  private readonly brand: Brand;

  /** @throws Error if a file of the settings cannot be read */
  constructor(config: Config, assets: Assets) {
    const settings = config.of(HTML_SETTINGS);
    const { BRAND_LOGO: logo, PAGES_CSS: ownStyles } = settings;
    const styles =
      brandStyles(settings.BRAND_COLOR) +
      readTextFile(STYLES) +
      (ownStyles === undefined ? '' : read('PAGES_CSS', () => readTextFile(ownStyles)));
    this.brand = {
      name: settings.BRAND_NAME ?? (config.mail.from.name || new URL(config.publicUrl).host),
      logo: logo && addLogo(assets, logo),
      terms: settings.TERMS_URL,
      privacy: settings.PRIVACY_URL,
      styles: assets.add('style', 'css', styles),
      script: assets.addModule('page', import.meta.url),
    };
  }

  /** The name that pages show for the service. */
  get brandName(): string {
    return this.brand.name;
  }

  /**
   * Returns a page as text, and sets its headers.
   *
   * @param secretAddress whether the page's address holds a secret, which the browser must not pass on, not even
   *   to this server
   */
  render(
    reply: FastifyReply,
    frame: PageFrame,
    content: ComponentChildren,
    secretAddress = false,
  ): string {
    void reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-language': frame.language,
      'content-security-policy': POLICY,
      // With `no-referrer`, browsers send forms with `Origin: null`.
      'referrer-policy': secretAddress ? 'no-referrer' : 'same-origin',
      vary: 'Accept-Language, Cookie',
    });
    const page = (
      <Layout brand={this.brand} frame={frame}>
        {content}
      </Layout>
    );
    return `<!doctype html>${renderToString(page)}`;
  }
}

const addLogo = (assets: Assets, file: string): string =>
  assets.add(
    'logo',
    extname(file).slice(1).toLowerCase(),
    read('BRAND_LOGO', () => readFileSync(file)),
  );

function read<T>(name: string, readFile: () => T): T {
  try {
    return readFile();
  } catch (cause) {
    throw new Error(`The file that ${name} names cannot be read`, { cause });
  }
}
