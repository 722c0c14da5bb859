import type { Language } from '../html/language.js';
import type { Navigation } from './navigation.js';
import { NAVIGATION_TEXTS } from './navigation.texts.js';

/**
 * The navigation of a signed-in user, with the way out. Narrow windows show the name of the page, which opens the
 * list. In wide ones the stylesheet shows the list alone.
 */
export function NavigationBar({
  language,
  navigation,
  path,
}: {
  language: Language;
  navigation: Navigation;
  /** The path of the present page. */
  path: string;
}) {
  const texts = NAVIGATION_TEXTS[language];
  const { entries, home } = navigation;
  const current = navigation.entryOf(path);
  const currentOf = (entry: string): 'page' | 'true' | undefined => {
    if (entry === path) return 'page';
    // Every page is below the start page.
    return entry === current?.path && entry !== home ? 'true' : undefined;
  };
  return (
    <nav class="nav" aria-label={texts.label}>
      <details>
        <summary>{current?.label[language] ?? texts.label}</summary>
        <ul>
          {entries.map((entry) => (
            <li key={entry.path}>
              <a href={entry.path} aria-current={currentOf(entry.path)}>
                {entry.label[language]}
              </a>
            </li>
          ))}
          <li>
            <form method="post" action="/sign-out">
              <button type="submit">{texts.signOut}</button>
            </form>
          </li>
        </ul>
      </details>
    </nav>
  );
}
