import { Alert } from '../html/fields.js';
import type { Language } from '../html/language.js';
import type { User } from '../users/user.entity.js';
import { ACCOUNT_PAGES } from './navigation.texts.js';
import { OVERVIEW_TEXTS } from './overview.texts.js';

/** The parts that the account still lacks, and the way to all other pages. */
export function OverviewPage({ language, user }: { language: Language; user: User }) {
  const texts = OVERVIEW_TEXTS[language];
  const lacksAddress = user.email === null;
  return (
    <>
      {(lacksAddress || !user.emailVerifiedAt) && (
        <Alert kind="note">
          {lacksAddress ? texts.noAddress : texts.unverified}{' '}
          <a href="/account/email">{lacksAddress ? texts.addAddress : texts.verify}</a>
        </Alert>
      )}
      {!user.secondFactorSince && (
        <Alert kind="note">
          {texts.noFactor} <a href="/account/factors">{texts.addFactor}</a>
        </Alert>
      )}
      <ul class="tiles">
        {ACCOUNT_PAGES.map(({ path, label, summary }) => (
          <li key={path}>
            <a class="tile" href={path}>
              <strong>{label[language]}</strong>
              <span>{summary[language]}</span>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
