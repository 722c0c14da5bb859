/** A colour as red, green and blue, each from 0 to 255. */
type Rgb = [number, number, number];

/** The least contrast of a text (WCAG 2.2, success criterion 1.4.3). */
const LEAST = 4.5;

const LIGHT: Rgb = [255, 255, 255];
/** The background of cards in the dark scheme. */
const DARK: Rgb = [24, 27, 33];

/**
 * Returns the custom properties of a brand's colour for both schemes. The colour is darkened or lightened until a
 * text in it is readable on the page, and the text on it is the more readable one of black and white.
 */
export function brandStyles(color: string): string {
  const given = rgbOf(color);
  const light = readable(given, LIGHT, [0, 0, 0]);
  const dark = readable(given, DARK, LIGHT);
  return (
    `:root{--accent:${cssOf(light)};--on-accent:${textOn(light)}}\n` +
    `@media (prefers-color-scheme:dark){:root{--accent:${cssOf(dark)};--on-accent:${textOn(dark)}}}\n`
  );
}

const rgbOf = (color: string): Rgb =>
  [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as Rgb;

const cssOf = (color: Rgb): string =>
  `#${color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

/** Moves a colour towards another one until it can be read on `background`. */
function readable(color: Rgb, background: Rgb, towards: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.02) {
    const mixed = color.map((part, i) => part + ((towards[i] ?? 0) - part) * share) as Rgb;
    if (contrast(mixed, background) >= LEAST) return mixed;
  }
  return towards;
}

const textOn = (color: Rgb): string => (contrast(color, LIGHT) >= LEAST ? '#fff' : '#000');

/** The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio"). */
function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2.2, "relative luminance". */
function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
