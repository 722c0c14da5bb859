import { Hidden } from '../html/fields.js';
import type { Language } from '../html/language.js';
import type { Wishes } from './form.schemas.js';
import { SIGN_IN_TEXTS } from './sign-in.texts.js';

/** The hidden fields of a form that carries the wishes along. */
export const WishFields = ({ wishes: { remember, return_to: returnTo } }: { wishes: Wishes }) => (
  <>
    {returnTo !== undefined && <Hidden name="return_to" value={returnTo} />}
    {remember && <Hidden name="remember" value={remember} />}
  </>
);

/** The choice whether the browser keeps the session when it closes. */
export const RememberField = ({ language, wishes }: { language: Language; wishes: Wishes }) => (
  <label class="check">
    <input type="checkbox" name="remember" checked={wishes.remember === 'on'} />
    {SIGN_IN_TEXTS[language].remember}
  </label>
);
