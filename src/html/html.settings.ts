import { z } from 'zod';
import { declareSettings, setting } from '../config/setting.js';
import { isHttpUrl } from '../config/urls.js';

const url = z
  .string()
  .refine(isHttpUrl, { error: 'expected an address such as https://example.com/terms' })
  .optional();

const file = (kinds: RegExp, error: string) =>
  z
    .string()
    .refine((path) => kinds.test(path) && !path.startsWith('~'), { error })
    .optional();

export const HTML_SETTINGS = declareSettings('Look of pages', {
  BRAND_NAME: setting({
    schema: z.string().max(64, 'expected at most 64 characters').optional(),
    summary:
      'The name at the top of pages. By default it is the name in `MAIL_FROM`, or the host of `PUBLIC_URL`.',
    example: 'Example',
  }),
  BRAND_LOGO: setting({
    schema: file(/\.(svg|png|webp)$/i, 'expected the path of an SVG, PNG or WebP file'),
    summary: 'An image file (SVG, PNG or WebP) that pages show at the top instead of the name.',
    example: 'brand/logo.svg',
  }),
  BRAND_COLOR: setting({
    schema: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'expected a colour such as #1d4ed8')
      .default('#1d4ed8'),
    summary:
      'The colour of buttons and links. Pages change its lightness where a text would be hard to read.',
    example: '#1d4ed8',
  }),
  TERMS_URL: setting({
    schema: url,
    summary: 'The address of your terms of use. Pages link to it.',
    example: 'https://example.com/terms',
  }),
  PRIVACY_URL: setting({
    schema: url,
    summary: 'The address of your privacy policy. Pages link to it.',
    example: 'https://example.com/privacy',
  }),
  PAGES_CSS: setting({
    schema: file(/\.css$/i, 'expected the path of a CSS file'),
    summary: 'A file of your own styles. Pages load it after the built-in ones.',
    example: 'brand/pages.css',
  }),
});
