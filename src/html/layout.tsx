import type { ComponentChildren } from 'preact';
import { HTML_TEXTS } from './html.texts.js';
import type { Language } from './language.js';

/** The operator's name, look and links. */
export interface Brand {
  name: string;
  /** The path of the image; undefined if the name stands alone. */
  logo: string | undefined;
  terms: string | undefined;
  privacy: string | undefined;
  /** The paths of the stylesheet, and of the module that every page loads. */
  styles: string;
  script: string;
}

/** The parts of a page beside its content. */
export interface PageFrame {
  language: Language;
  /** The name of the page, which is also its heading. */
  title: string;
  /** The paths of modules for browsers. */
  scripts?: readonly string[];
  /** The navigation of a signed-in user. Pages with it are wide, all others are a card. */
  nav?: ComponentChildren;
  /** The path that the brand leads to. */
  home?: string;
}

/** A key, in the colour of the tab. An inline image saves a request, and the browser's own search for an icon. */
const ICON =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1d4ed8"/>' +
      '<g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"><circle cx="12" cy="13" r="5"/>' +
      '<path d="m16 16 9 9m-3-3 3-3"/></g></svg>',
  );

/** A whole document. */
export function Layout({
  brand,
  frame,
  children,
}: {
  brand: Brand;
  frame: PageFrame;
  children: ComponentChildren;
}) {
  const { language, title, scripts = [], nav, home = '/' } = frame;
  const texts = HTML_TEXTS[language];
  return (
    <html lang={language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} – ${brand.name}`}</title>
        <link rel="icon" href={ICON} />
        <link rel="stylesheet" href={brand.styles} />
        {[brand.script, ...scripts].map((path) => (
          <script key={path} type="module" src={path} />
        ))}
      </head>
      <body class={nav ? 'wide' : 'narrow'}>
        <a class="skip" href="#main">
          {texts.skip}
        </a>
        <header class="top">
          <a class="brand" href={home}>
            {brand.logo ? <img src={brand.logo} alt={brand.name} height="32" /> : brand.name}
          </a>
        </header>
        <div class="frame">
          {nav}
          <main id="main">
            <h1>{title}</h1>
            {children}
          </main>
        </div>
        <footer class="bottom">
          <span>{brand.name}</span>
          {brand.terms && <a href={brand.terms}>{texts.terms}</a>}
          {brand.privacy && <a href={brand.privacy}>{texts.privacy}</a>}
        </footer>
      </body>
    </html>
  );
}
